"""Members in whose names to ask: ``python -m bench.people COUNT``, with the settings of a site that is set up.

Writes what `make` returns as JSON. Nobody has a password, so that none has to be hashed.
"""

import sys

import msgspec
from flask import Flask

from flask_app import config, create_app
from flask_app.database import transaction
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import user_admin_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Wanted
from flask_app.web import cookies, csrf


def make(app: Flask, count: int) -> list[dict[str, dict[str, str]]]:
    """As many new members; of each the headers that their browser asks with, in the "chat", and their program, at the
    "gateway".
    """
    origin = f"http://127.0.0.1:{config.current().port}"
    with app.test_request_context(base_url=origin):  # what the cookie is called depends on it
        return [_made(f"person{number}", origin) for number in range(count)]


def _made(name: str, origin: str) -> dict[str, dict[str, str]]:
    user = user_admin_service.add(Actor(None), name, "member").user
    with transaction() as session:
        cookie = auth_service.open_session(session, user, Browser("127.0.0.1", "bench")).token
    token = token_service.make(Actor(user), digest(cookie), Wanted(name="bench"))
    browser = {"Cookie": f"{cookies.name()}={cookie}", csrf.HEADER: csrf.token_for(cookie), "Origin": origin}
    return {"chat": browser, "gateway": {"Authorization": f"Bearer {token.secret}"}}


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(make(create_app(), int(sys.argv[1]))))
