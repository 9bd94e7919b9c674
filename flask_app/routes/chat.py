"""The chat page."""

import msgspec
from flask import Blueprint, render_template

from flask_app.services import conversation_service, key_service
from flask_app.utils import get_current_user, require_login
from flask_app.web.bodies import Reply
from flask_app.web.models import ModelReply, models_reply
from flask_app.web.threads import ListedReply, conversations_reply

blueprint = Blueprint("chat", __name__)


class ChatState(Reply):
    """What the page starts with, so that an empty one asks for nothing more."""

    conversation_id: str | None
    conversations: list[ListedReply]
    next: str | None
    models: list[ModelReply]
    default_model: str | None
    demo: bool
    keys_fail: bool
    is_admin: bool


@blueprint.get("/")
@require_login
def home() -> str:
    return _page(None)


@blueprint.get("/c/<conversation_id>")
@require_login
def conversation(conversation_id: str) -> str:
    conversation_service.check(get_current_user(), conversation_id)
    return _page(conversation_id)


def _page(conversation_id: str | None) -> str:
    user = get_current_user()
    listed, models = conversations_reply(*conversation_service.listed(user)), models_reply()
    state = ChatState(
        conversation_id=conversation_id,
        conversations=listed.conversations,
        next=listed.next,
        models=models.models,
        default_model=models.default,
        demo=any(model.demo for model in models.models),
        keys_fail=models.keys_fail,
        is_admin=user.role == "admin",
    )
    if state.demo:
        key_service.warm_up()
    raw = msgspec.json.encode(state).decode()
    return render_template("chat.html", state=state, chat_state=raw.replace("<", "\\u003c"))
