"""Assistants that somebody has made, and conversations that begin with one."""

from typing import Any

from flask_app.models import SharedAssistant
from flask_app.services.assistants import shared_assistants
from flask_app.services.audit.audit_service import Actor
from tests.support.clients import PageClient

ASSISTANTS = "/api/assistants"
TUTOR = {"name": "Tutor", "icon": "🧑‍🏫", "instructions": "Never tell the answer; ask back."}
JSON = {"Accept": "application/json", "Accept-Language": "en"}


def keep(client: PageClient, **fields: Any) -> dict[str, Any]:
    """Another one of the person who asks with `client`."""
    reply = client.post(ASSISTANTS, json=TUTOR | fields)
    assert reply.status_code == 201, reply.data
    made: dict[str, Any] = reply.get_json()
    return made


def ask(client: PageClient, message: str = "hello", **fields: Any) -> Any:
    """The reply to a message, whole."""
    return client.post("/api/chat", json={"message": message} | fields, headers=JSON)


def share(group_id: str | None = None, **fields: Any) -> SharedAssistant:
    """Another one for everybody, or for a group."""
    words: Any = TUTOR | fields
    return shared_assistants.add(Actor(None), group_id, words)
