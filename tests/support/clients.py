"""Test clients that behave like our own pages: https, and the session's CSRF token on every change."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.sign_in import auth_service
from flask_app.services.sign_in.auth_service import Browser
from flask_app.web import csrf

USUAL_DEVICE = f"the-usual-device.{'0' * 32}"  # the same in all of these browsers: none of them is a new one
SESSION_COOKIE = "__Host-mingchat"
HTTPS, HTTP = "https://localhost", "http://localhost"


class PageClient(FlaskClient):
    """A browser on https (or what `base_url` says); `csrf_token` is sent with every request once there is one."""

    base_url = HTTPS
    csrf_token = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", self.base_url)
        headers = dict(kwargs.pop("headers", None) or {})
        if self.csrf_token:
            headers = {csrf.HEADER: self.csrf_token} | headers
        return super().open(*args, headers=headers, **kwargs)

    @property
    def session_token(self) -> str:
        cookie = self.get_cookie(SESSION_COOKIE)
        return cookie.value if cookie else ""


def new_client(app: Flask, base_url: str = HTTPS) -> PageClient:
    client = PageClient(app, app.response_class, use_cookies=True)
    client.base_url = base_url
    return client


def signed_in(app: Flask, user: User) -> PageClient:
    """A browser in which `user` has signed in."""
    with transaction() as session:
        browser = Browser(address="127.0.0.1", user_agent="test", device=USUAL_DEVICE)
        token = auth_service.open_session(session, user, browser).token
    client = new_client(app)
    client.set_cookie(SESSION_COOKIE, token, secure=True, path="/")
    client.csrf_token = csrf.token_for(token)
    return client
