"""One's conversations: pinned on top of the list, and archived out of it."""

from flask import Blueprint

from flask_app.services.conversations import archive_service, conversation_lists, folder_service, pin_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.arguments import number, word
from flask_app.web.bodies import queries, returns
from flask_app.web.threads import ConversationReply, ConversationsReply, conversation_reply, conversations_reply

blueprint = Blueprint("conversations", __name__, url_prefix="/api/conversations")


@blueprint.get("/archived")
@require_login
@returns(ConversationsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def archived() -> ConversationsReply:
    """One's own conversations that are archived, the newest first."""
    before, limit = word("before"), number("limit", conversation_lists.PAGE)
    page = conversation_lists.listed(get_current_user(), archived=True, before=before, limit=limit)
    return conversations_reply(*page)


@blueprint.get("/unfiled")
@require_login
@returns(ConversationsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def unfiled() -> ConversationsReply:
    """One's own conversations that are in no folder, the newest first; with the first page all folders and pins."""
    user, before, limit = get_current_user(), word("before"), number("limit", conversation_lists.PAGE)
    if not before:
        return conversations_reply(*folder_service.front(user, limit))
    unfiled = conversation_lists.UNFILED
    return conversations_reply(*conversation_lists.listed(user, folder=unfiled, before=before, limit=limit))


@blueprint.put("/<conversation_id>/pin")
@require_login
@returns(ConversationReply)
def pin(conversation_id: str) -> ConversationReply:
    """Pin a conversation on top of the list. 409 where 50 are pinned already."""
    return conversation_reply(pin_service.pin(get_current_user(), conversation_id))


@blueprint.delete("/<conversation_id>/pin")
@require_login
@returns(ConversationReply)
def unpin(conversation_id: str) -> ConversationReply:
    """Take a conversation's pin away."""
    return conversation_reply(pin_service.unpin(get_current_user(), conversation_id))


@blueprint.put("/<conversation_id>/archive")
@require_login
@returns(ConversationReply)
def archive(conversation_id: str) -> ConversationReply:
    """Archive a conversation: it leaves the list until it is taken back, or asked something."""
    return conversation_reply(archive_service.archive(get_current_user(), conversation_id))


@blueprint.delete("/<conversation_id>/archive")
@require_login
@returns(ConversationReply)
def take_back(conversation_id: str) -> ConversationReply:
    """Take a conversation out of the archive; one that was pinned is pinned again, where there is room for it."""
    return conversation_reply(archive_service.take_back(get_current_user(), conversation_id))
