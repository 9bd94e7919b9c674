"""Asking, and what the asking has left behind."""

from typing import Any

from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, TokenUsage
from tests.support.clients import PageClient
from tests.support.scripted_upstream import ScriptedUpstream

FIRST, SECOND, OTHER = "environment", "second", "other"
ROLE = b'data: {"model":"deepseek-flash","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
REFUSALS = [
    (401, "upstream_key_refused"),
    (402, "upstream_no_balance"),
    (429, "upstream_busy"),
    (500, "upstream_failed"),
    (502, "upstream_failed"),
    (503, "upstream_overloaded"),
    (504, "upstream_timeout"),
]


def ask(client: PageClient, **fields: Any) -> Any:
    headers = {"Accept": "application/json", "Accept-Language": "en"}
    return client.post("/api/chat", json={"message": "hello", "model": "deepseek-flash"} | fields, headers=headers)


def attempts() -> list[tuple[str | None, str, int | None]]:
    with reading() as session:
        rows = session.scalars(select(Attempt).order_by(Attempt.id)).all()
    return [(row.key_id, row.state, row.status_code) for row in rows]


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


def asked(*providers: ScriptedUpstream) -> int:
    return sum(len(provider.journal.chats) for provider in providers)


def code_of(response: Any) -> str:
    return str(response.json["error"]["code"])
