"""Signing in as a person does it, by name and password."""

from typing import Any

from flask_app.database import reading
from flask_app.models import User
from tests.conftest import PASSWORD
from tests.support.clients import PageClient

STRONG = "two sparrows under one umbrella"


def login(
    client: PageClient, username: str = "member", password: str = PASSWORD, address: str = "192.0.2.1", **told: str
) -> Any:
    """`told` is what the browser says of itself: a time zone, and what was chosen in it before."""
    return client.post(
        "/api/login",
        json={"username": username, "password": password} | told,
        environ_overrides={"REMOTE_ADDR": address},
    )


def error_code(response: Any) -> str:
    return str(response.json["error"]["code"])


def stored(user: User) -> User:
    with reading() as session:
        return session.get_one(User, user.id)
