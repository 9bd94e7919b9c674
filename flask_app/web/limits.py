"""How often may be asked: by person where somebody is signed in, by address where nobody is."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from flask_app import config
from flask_app.errors import ConfigError, TooMany
from flask_app.services import login_limits, rates, run_service
from flask_app.services.windows import Rate, Windows
from flask_app.web.client import client_address
from flask_app.web.sessions import ANONYMOUS

View = TypeVar("View", bound=Callable[..., Any])
_WINDOWS = "rate_windows"


def init_app(app: Flask) -> None:
    try:
        Rate.parse(config.current().chat_rate_limit)
    except ValueError as error:
        raise ConfigError(f"CHAT_RATE_LIMIT cannot be read: {error}") from error
    app.extensions[_WINDOWS] = {kind: Windows(kind, rate) for kind, rate in rates.usual().items()}
    app.before_request(_count)


def asks_for_an_answer(view: View) -> View:
    """Say that the view counts a message itself, with `count_message`, once it knows which."""
    view.asks_for_an_answer = True  # type: ignore[attr-defined]
    return view


def count_message(user_id: str, idempotency_key: str | None = None) -> None:
    """Count one more message of this person; raises TooMany("chat_rate_limited") when there were too many lately.

    What was begun under its key before asks for nothing new, and is let through.
    """
    if (seconds := _hit("messages", user_id, *g.rates)) and not run_service.is_begun(user_id, idempotency_key):
        raise TooMany("chat_rate_limited", retry_after=seconds, seconds=seconds)


def count_request() -> None:
    """Count a request for an answer that is no new message; raises TooMany("request_rate_limited")."""
    _hit_or_refuse("requests", g.user.id, *g.rates)


def _count() -> None:
    """Count the request, unless it is for a static file, the server's health or an answer."""
    if request.endpoint in ANONYMOUS:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if "user" not in g:
        _hit_or_refuse("visits", login_limits.network(client_address()), rates.of_site())
    elif not hasattr(view, "asks_for_an_answer"):
        _hit_or_refuse("downloads" if hasattr(view, "content_types") else "requests", g.user.id, *g.rates)


def _hit_or_refuse(kind: str, name: str, *stored: str | None) -> None:
    if seconds := _hit(kind, name, *stored):
        raise TooMany("request_rate_limited", retry_after=seconds, seconds=seconds)


def _hit(kind: str, name: str, *stored: str | None) -> int:
    """Seconds to wait; at 0 it is counted."""
    rate = rates.rate(kind, *stored)
    if rate is None:
        return 0
    windows: dict[str, Windows] = current_app.extensions[_WINDOWS]
    return windows[kind].hit(name, rate)
