"""Models: the administrators' API."""

from typing import Annotated

import msgspec
from flask import Blueprint, g

from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.embedding import choosing, embedding_setting
from flask_app.services.providers import model_admin_service
from flask_app.services.providers.model_admin_service import Settings
from flask_app.utils import get_current_user, require_permission
from flask_app.web.bodies import Body, Words, accepts, returns
from flask_app.web.client import client_address
from flask_app.web.models import AdminModelsReply, admin_models_reply

blueprint = Blueprint("admin_models", __name__, url_prefix="/api/admin/models")


MOST_CONTEXT_TOKENS = 100_000_000


class ChangeModel(Body):
    """`aliases` are all of the model's other names. Without `successor_id` the default model follows it.

    `context_tokens` is how much of a conversation it can read, with its answer; null where that is not known.
    `sees`: may pictures be sent to it? Null leaves that as it is.
    """

    successor_id: Annotated[str, msgspec.Meta(max_length=64)] | None
    aliases: Annotated[list[Words], msgspec.Meta(max_length=100)]
    context_tokens: Annotated[int, msgspec.Meta(ge=1, le=MOST_CONTEXT_TOKENS)] | None = None
    sees: bool | None = None


class ChooseForTitles(Body):
    """`model_id` "default" is the model that new chats begin with; null: titles are the first words."""

    model_id: Annotated[str, msgspec.Meta(max_length=64)] | None


class ChooseForEmbeddings(Body):
    """Null: documents are searched by words alone."""

    model_id: Annotated[str, msgspec.Meta(max_length=64)] | None


@blueprint.get("")
@require_permission("models")
@returns(AdminModelsReply)
def listed() -> AdminModelsReply:
    """Every model that a provider lists or has listed, those that can be asked first."""
    return admin_models_reply(model_admin_service.listed())


@blueprint.put("/<model_id>")
@require_permission("models")
@accepts(ChangeModel)
@returns(AdminModelsReply)
def change(model_id: str, body: ChangeModel) -> AdminModelsReply:
    """Say who follows a model once it is no longer offered, its other names, how much it reads, and whether it sees."""
    actor = Actor(get_current_user(), client_address())
    settings = Settings(body.successor_id, body.aliases, body.context_tokens, body.sees)
    changed = model_admin_service.change(actor, model_id, settings)
    return admin_models_reply(changed)


@blueprint.put("/titles")
@require_permission("models")
@accepts(ChooseForTitles)
@returns(AdminModelsReply)
def choose_for_titles(body: ChooseForTitles) -> AdminModelsReply:
    """Say which model writes the titles of conversations, from the next first answer on."""
    title_setting.choose(Actor(get_current_user(), client_address()), body.model_id)
    return admin_models_reply(model_admin_service.listed())


@blueprint.put("/embeddings")
@require_permission("models")
@accepts(ChooseForEmbeddings)
@returns(AdminModelsReply)
def choose_for_embeddings(body: ChooseForEmbeddings) -> AdminModelsReply:
    """Say which model makes the vectors that documents are searched with, from the next question on.

    It is asked for one vector first, which is booked to whoever chooses it; one that makes none is refused.
    """
    person = get_current_user()
    actor = Actor(person, client_address())
    if body.model_id is None:
        embedding_setting.choose(actor, None)
    else:
        choosing.choose(actor, person, body.model_id, request_id=g.request_id)
    return admin_models_reply(model_admin_service.listed())
