"""One's own assistants: instructions under a name, that new conversations begin with."""

from flask import Blueprint, g, render_template

from flask_app.services.assistants import assistant_terms, offered_assistants, own_assistants
from flask_app.utils import get_current_user, require_login
from flask_app.web import pages
from flask_app.web.assistants import (
    MOST_BYTES,
    AssistantBody,
    AssistantChanges,
    AssistantReply,
    AssistantsReply,
    KnowledgeState,
    ListedAssistant,
    OfferedAssistantsReply,
    assistant_reply,
    assistants_reply,
    knowledge_state,
    offered,
)
from flask_app.web.bodies import accepts, refuses, returns
from flask_app.web.models import ModelReply, models_reply

blueprint = Blueprint("assistants", __name__)


class AssistantsState(AssistantsReply):
    """With the models to choose from, and what it may know."""

    knowledge: KnowledgeState
    models: list[ModelReply]


@blueprint.get("/assistants")
@require_login
def home() -> str:
    state = AssistantsState(assistants=_listed(), knowledge=knowledge_state(), models=models_reply().models)
    shared = offered(offered_assistants.shared(get_current_user()))
    return render_template(
        "assistants.html", assistants_state=pages.state(state), terms=assistant_terms, shared_assistants=shared
    )


@blueprint.get("/api/assistants")
@require_login
@returns(AssistantsReply)
def own() -> AssistantsReply:
    """One's own assistants, the newest first. Nobody else sees them."""
    return AssistantsReply(assistants=_listed())


@blueprint.post("/api/assistants")
@require_login
@accepts(AssistantBody, most=MOST_BYTES)
@returns(AssistantReply, 201)
@refuses(409, "There are 100 already.")
def add(body: AssistantBody) -> AssistantReply:
    """Make an assistant."""
    return assistant_reply(own_assistants.add(get_current_user(), body.wanted(), g.allowed_models))


@blueprint.get("/api/assistants/<assistant_id>")
@require_login
@returns(AssistantReply)
def one(assistant_id: str) -> AssistantReply:
    """One of one's own assistants, with its whole instructions."""
    return assistant_reply(own_assistants.one(get_current_user(), assistant_id))


@blueprint.patch("/api/assistants/<assistant_id>")
@require_login
@accepts(AssistantChanges, most=MOST_BYTES)
@returns(AssistantReply)
def change(assistant_id: str, body: AssistantChanges) -> AssistantReply:
    """Change one of one's assistants: its conversations go on with it as it is then."""
    changed = own_assistants.change(get_current_user(), assistant_id, body.wanted(), g.allowed_models)
    return assistant_reply(changed)


@blueprint.delete("/api/assistants/<assistant_id>")
@require_login
@returns(None, 204)
def delete(assistant_id: str) -> None:
    """Delete one of one's assistants: its conversations stay, and go on without it."""
    own_assistants.delete(get_current_user(), assistant_id)


@blueprint.get("/api/offered-assistants")
@require_login
@returns(OfferedAssistantsReply)
def to_begin_with() -> OfferedAssistantsReply:
    """With whom one can begin: one's own assistants, then those of one's group, then those for everybody."""
    return OfferedAssistantsReply(assistants=offered(offered_assistants.listed(get_current_user())))


def _listed() -> list[ListedAssistant]:
    return assistants_reply(own_assistants.listed(get_current_user())).assistants
