"""Prompts that somebody keeps, and one for everybody."""

from flask_app.database import new_id
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.prompts import own_prompts, shared_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from tests.support.clients import PageClient

WORDS = Wanted("sum", "Sum it up", "Sum this up: {{text}}")


def keep(client: PageClient) -> str:
    """Another one of the person who asks with `client`; gives its id."""
    reply = client.post("/api/prompts", json={"command": new_id(), "title": "mine", "text": "mine"})
    return str(reply.get_json()["id"])


def both(person: User) -> dict[str, str]:
    """One of theirs and one for everybody, by the names of routes' arguments."""
    own, shared = own_prompts.add(person, WORDS), shared_prompts.add(Actor(None), None, WORDS)
    return {"prompt_id": own.id, "shared_prompt_id": shared.id}
