"""The chat page."""

from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template, request

from flask_app import config
from flask_app.database import utc_now
from flask_app.domain.tools import CONFIRM_SECONDS, MOST_CALLS, MOST_ROUNDS
from flask_app.errors import NotFound
from flask_app.services.assistants import offered_assistants
from flask_app.services.budgets import budget_service
from flask_app.services.conversations import conversation_service, draft_service, folder_service, title_setting
from flask_app.services.providers import key_service
from flask_app.services.site import retention_settings
from flask_app.services.web_search import search_settings
from flask_app.utils import get_current_user, require_login
from flask_app.web import pages, supervision
from flask_app.web.assistants import MOST_OFFERED, ChosenAssistant, OfferedAssistant, chosen, offered
from flask_app.web.bodies import Reply
from flask_app.web.budgets import BudgetReply, budget_reply
from flask_app.web.drafts import KeptDraftReply, kept_draft_reply
from flask_app.web.files import FilesState, files_state
from flask_app.web.left import left
from flask_app.web.models import ModelReply, models_reply
from flask_app.web.shares import sharing
from flask_app.web.threads import FolderReply, ListedReply, ThreadReply, conversations_reply, thread_reply
from flask_app.web.tool_choices import ToolChoice, tool_choices

blueprint = Blueprint("chat", __name__)


class ChatState(Reply):
    """What the page starts with, so that it asks for nothing more. `missing`: the conversation of the address.

    `draft`: what is written there and not yet sent. `titles`: a model writes them, a moment after a first answer.
    `temporary`: nothing is kept of what is said here. `may_share`: conversations may be shared by links.
    `files`: what may be attached to a message; null where the person's group may attach nothing.
    `search`: questions may be looked up on the web. `tools`: what a model may call for an answer.
    `assistants`: those that a new chat offers; `assistant`: the one that it begins with.
    """

    thread: ThreadReply | None
    draft: KeptDraftReply | None
    missing: bool
    conversations: list[ListedReply]
    pinned: list[ListedReply]
    folders: list[FolderReply]
    next: str | None
    models: list[ModelReply]
    default_model: str | None
    budgets: list[BudgetReply]
    demo: bool
    keys_fail: bool
    titles: bool
    temporary: bool
    is_admin: bool
    may_share: bool
    files: FilesState | None
    search: bool
    tools: list[ToolChoice]
    assistants: list[OfferedAssistant]
    assistant: ChosenAssistant | None


@blueprint.get("/")
@require_login
def home() -> str:
    """A new chat: with an assistant for `?assistant=<id>`; one that nothing is kept of for `?temporary`."""
    temporary = "temporary" in request.args
    return _page(None, temporary=temporary, assistant=None if temporary else chosen(request.args.get("assistant")))


@blueprint.get("/c/<conversation_id>")
@require_login
def conversation(conversation_id: str) -> tuple[str, int]:
    """One that is not there, or no more, is told on the page of a new one, where what was typed in it is kept."""
    try:
        return _page(thread_reply(conversation_service.thread(get_current_user(), conversation_id))), 200
    except NotFound as error:
        return _page(None, missing=True), error.status


def _page(
    thread: ThreadReply | None,
    *,
    missing: bool = False,
    temporary: bool = False,
    assistant: ChosenAssistant | None = None,
) -> str:
    user = get_current_user()
    listed = conversations_reply(*folder_service.front(user))
    models = models_reply()
    demo = any(model.demo for model in models.models)
    standings, shared_with = budget_service.own(user, utc_now()), sharing()
    state = ChatState(
        thread=thread,
        draft=None if temporary else kept_draft_reply(draft_service.read(user, thread.id if thread else None)),
        missing=missing,
        conversations=listed.conversations,
        pinned=listed.pinned,
        folders=listed.folders,
        next=listed.next,
        models=models.models,
        default_model=models.default,
        budgets=[budget_reply(each) for each in standings],
        demo=demo,
        keys_fail=models.keys_fail,
        titles=title_setting.chosen() is not None and not demo,
        temporary=temporary,
        is_admin=user.role == "admin",
        may_share=shared_with != "off",
        files=files_state(),
        search=not temporary and search_settings.may_search(user),
        tools=[] if temporary else tool_choices(user),
        assistants=[] if temporary else offered(offered_assistants.few(user, MOST_OFFERED)),
        assistant=assistant,
    )
    if state.demo:
        key_service.warm_up()
    kept = retention_settings.kept()
    zone = ZoneInfo(user.timezone or config.current().site_timezone)
    return render_template(
        "chat.html",
        state=state,
        chat_state=pages.state(state),
        none_allowed=not models.models and g.allowed_models is not None and not models.keys_fail,
        left=left(standings),
        kept_days=kept.of(user.group_id),
        file_days=kept.of_files(user.group_id) if state.files else None,
        supervised=supervision.is_supervised(),
        unseen=supervision.is_unseen(),
        sharing=shared_with,
        confirm_minutes=int(CONFIRM_SECONDS // 60),
        most_rounds=MOST_ROUNDS,
        most_calls=MOST_CALLS,
        day_part=_part_of_day(utc_now().astimezone(zone).hour),
    )


def _part_of_day(hour: int) -> str:
    """By the reader's own clock, as all times on their pages are."""
    if hour < 5 or hour >= 18:
        return "evening"
    return "morning" if hour < 12 else "day"
