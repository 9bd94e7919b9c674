"""One's folders, and the conversations in them."""

from typing import Annotated

import msgspec
from flask import Blueprint

from flask_app.services.conversations import conversation_lists, folder_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.arguments import number, word
from flask_app.web.bodies import Body, accepts, queries, refuses, returns
from flask_app.web.threads import (
    ConversationReply,
    ConversationsReply,
    FolderReply,
    FoldersReply,
    conversation_reply,
    conversations_reply,
    folder_reply,
    folders_reply,
)

blueprint = Blueprint("folders", __name__, url_prefix="/api/folders")


class FolderName(Body):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=folder_service.MAX_NAME)]


@blueprint.get("")
@require_login
@returns(FoldersReply)
def own() -> FoldersReply:
    """One's own folders."""
    return folders_reply(folder_service.listed(get_current_user()))


@blueprint.post("")
@require_login
@accepts(FolderName)
@returns(FolderReply, 201)
@refuses(409, "There are 100 already.")
def make(body: FolderName) -> FolderReply:
    """Make a folder."""
    return folder_reply(folder_service.make(get_current_user(), body.name))


@blueprint.patch("/<folder_id>")
@require_login
@accepts(FolderName)
@returns(FolderReply)
def rename(folder_id: str, body: FolderName) -> FolderReply:
    """Give a folder another name."""
    return folder_reply(folder_service.rename(get_current_user(), folder_id, body.name))


@blueprint.delete("/<folder_id>")
@require_login
@returns(None, 204)
def remove(folder_id: str) -> None:
    """Delete a folder. Its conversations stay, in none."""
    folder_service.remove(get_current_user(), folder_id)


@blueprint.get("/<folder_id>/conversations")
@require_login
@returns(ConversationsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def conversations(folder_id: str) -> ConversationsReply:
    """The conversations in a folder, the newest first, without those that are archived."""
    before, limit = word("before"), number("limit", conversation_lists.PAGE)
    return conversations_reply(*folder_service.conversations(get_current_user(), folder_id, before=before, limit=limit))


@blueprint.put("/<folder_id>/conversations/<conversation_id>")
@require_login
@returns(ConversationReply)
def put_in(folder_id: str, conversation_id: str) -> ConversationReply:
    """Move a conversation into a folder, out of the one that it was in."""
    return conversation_reply(folder_service.put_in(get_current_user(), folder_id, conversation_id))


@blueprint.delete("/<folder_id>/conversations/<conversation_id>")
@require_login
@returns(ConversationReply)
def take_out(folder_id: str, conversation_id: str) -> ConversationReply:
    """Take a conversation out of a folder; one that is not in it stays where it is."""
    return conversation_reply(folder_service.take_out(get_current_user(), folder_id, conversation_id))
