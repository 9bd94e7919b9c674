"""Conversations that are shared by a link."""

from typing import Any

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Share, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets import sealing
from flask_app.services.secrets.signing import digest
from flask_app.services.sharing import sharing_policy
from tests.support.clients import PageClient


def switch(mode: str) -> None:
    """Say who opens links: off, people or anybody."""
    sharing_policy.change(Actor(None), mode)


def make(client: PageClient, conversation_id: str, **wanted: Any) -> Any:
    """The reply to asking for a link."""
    return client.post(f"/api/conversations/{conversation_id}/shares", json=wanted)


def share(client: PageClient, conversation_id: str, **wanted: Any) -> dict[str, Any]:
    """A link as its person gets it."""
    response = make(client, conversation_id, **wanted)
    assert response.status_code == 201, response.get_data(as_text=True)
    assert response.json
    return dict(response.json)


def kept(user_id: str, conversation_id: str) -> str:
    """The id of one more link of somebody's, whatever number they have made on this day."""
    with reading() as session:
        return keep(session.get_one(User, user_id), conversation_id).id


def keep(person: User, conversation_id: str, link: str | None = None, **fields: Any) -> Share:
    """A link that is there, without asking for it: as the version before made them."""
    share_id, token = new_id(), link or new_id()
    made = Share(id=share_id, user_id=person.id, conversation_id=conversation_id, digest=digest(token), opened=0)
    made.token, made.title, made.thoughts, made.created_at = sealing.seal(token, share_id), "a talk", False, utc_now()
    made.content = '[{"role":"user","text":"hello"}]'
    for name, value in fields.items():
        setattr(made, name, value)
    with transaction() as session:
        session.add(made)
    return made
