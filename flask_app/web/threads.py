"""Conversations, messages and answers as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import g

from flask_app.domain.serving import Thinking
from flask_app.models import Assistant, Conversation, Folder, Message, SharedAssistant
from flask_app.services.assistants.assistant_terms import thinking_of
from flask_app.services.completion.attempts import Entry
from flask_app.services.conversations.conversation_lists import Listed
from flask_app.services.conversations.conversation_service import Thread
from flask_app.services.conversations.folder_service import Named
from flask_app.services.providers import model_service
from flask_app.services.runs.run_events import words_of
from flask_app.web.bodies import Reply
from flask_app.web.calls import CallReply, call_reply
from flask_app.web.context import t
from flask_app.web.files import SentFileReply, sent_file_reply
from flask_app.web.searches import SearchReply, search_reply


class UsageReply(Reply):
    """`context_tokens`: what the conversation takes of a model's context with this answer, thoughts left out."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    total_tokens: int
    context_tokens: int
    source: str


class AnswerErrorReply(Reply):
    code: str
    message: str


class MessageReply(Reply):
    """`idempotency_key`: what an answer was first asked for under, where that was.

    `thinking_ms`: how long was thought before its text, in all its runs; null where that is not known.
    `files` go with a question. `search`: what was looked up on the web for it; null where nothing was. `calls` of tools
    were made for an answer.
    """

    id: str
    parent_id: str | None
    role: str
    text: str
    reasoning: str
    thinking_ms: int | None
    status: str
    error: AnswerErrorReply | None
    model: str | None
    run_id: str | None
    idempotency_key: str | None
    finish_reason: str | None
    created_at: datetime
    usage: UsageReply | None
    files: list[SentFileReply]
    search: SearchReply | None
    calls: list[CallReply]


class FolderReply(Reply):
    id: str
    name: str


class FoldersReply(Reply):
    folders: list[FolderReply]


class ConversationReply(Reply):
    """One that is `archived` keeps its pin (`pinned_at`) and its folder for when it is taken back."""

    id: str
    folder_id: str | None
    title: str
    created_at: datetime
    updated_at: datetime
    pinned_at: datetime | None
    archived: bool


class FollowerReply(Reply):
    """The model that answers instead of `instead_of`, which is no longer offered."""

    id: str
    name: str
    label: str
    instead_of: str


class AssistantOfThread(Reply):
    """Whose instructions come first. `model` is the name of the one that it has, `thinking` how: null is as usual."""

    id: str
    name: str
    icon: str
    model: str | None
    thinking: Thinking | None


class ThreadReply(ConversationReply):
    """`goes_on_with`: who follows where the model of the newest answer is gone. `shared`: it has a link."""

    messages: list[MessageReply]
    shared: bool
    goes_on_with: FollowerReply | None
    assistant: AssistantOfThread | None


class ListedReply(Reply):
    """`shared`: it has a link by which others read it."""

    id: str
    folder_id: str | None
    title: str
    updated_at: datetime
    pinned_at: datetime | None
    archived: bool
    running: bool
    shared: bool


class ConversationsReply(Reply):
    """`pinned`: all that are on top of the list, the newest pin first; only the list's first page has them.

    Among `conversations` they are in their places by time. `folders`: the person's, with the first page of those that
    are in none.
    """

    conversations: list[ListedReply]
    pinned: list[ListedReply]
    folders: list[FolderReply]
    next: str | None


def conversations_reply(
    page: list[Listed], following: str | None, pinned: Sequence[Listed] = (), folders: Sequence[Named] = ()
) -> ConversationsReply:
    return ConversationsReply(
        conversations=[_listed(item) for item in page],
        pinned=[_listed(item) for item in pinned],
        folders=[folder_reply(folder) for folder in folders],
        next=following,
    )


def folder_reply(folder: Folder | Named) -> FolderReply:
    return FolderReply(id=folder.id, name=folder.name)


def folders_reply(folders: Sequence[Named]) -> FoldersReply:
    return FoldersReply(folders=[folder_reply(folder) for folder in folders])


def conversation_reply(conversation: Conversation) -> ConversationReply:
    return ConversationReply(**_own(conversation))


def thread_reply(thread: Thread) -> ThreadReply:
    messages = [message_reply(thread, message, thread.runs.get(message.id)) for message in thread.messages]
    follower = _follower(thread.messages)
    return ThreadReply(
        **_own(thread.conversation),
        messages=messages,
        shared=thread.shared,
        goes_on_with=follower,
        assistant=_assistant(thread.assistant) if thread.assistant else None,
    )


def message_reply(thread: Thread, message: Message, run_id: str | None) -> MessageReply:
    code, usage = message.error_code, thread.usage.get(message.id)
    search = thread.searches.get(message.id)
    return MessageReply(
        id=message.id,
        parent_id=message.parent_id,
        role=message.role,
        text=message.text,
        reasoning=message.reasoning,
        thinking_ms=message.thinking_ms,
        status=message.status,
        error=AnswerErrorReply(code=code, message=t(words_of(code))) if code else None,
        model=message.model,
        run_id=run_id,
        idempotency_key=thread.keys.get(message.id),
        finish_reason=message.finish_reason,
        created_at=message.created_at,
        usage=_usage(usage) if usage else None,
        files=[sent_file_reply(each) for each in thread.files.get(message.id, ())],
        search=search_reply(search) if search else None,
        calls=[call_reply(each) for each in thread.calls.get(message.id, ())],
    )


def _follower(messages: list[Message]) -> FollowerReply | None:
    last = next(
        (message.model for message in reversed(messages) if message.model and message.role == "assistant"), None
    )
    follower = model_service.follower_of(last, g.allowed_models) if last else None
    if last is None or follower is None:
        return None
    return FollowerReply(id=follower.id, name=follower.name, label=follower.label, instead_of=last)


def _assistant(assistant: Assistant | SharedAssistant) -> AssistantOfThread:
    own = {name: getattr(assistant, name) for name in ("id", "name", "icon", "model")}
    return AssistantOfThread(**own, thinking=thinking_of(assistant.thinking))


def _listed(item: Listed) -> ListedReply:
    return ListedReply(
        id=item.id,
        folder_id=item.folder_id,
        title=item.title,
        updated_at=item.updated_at,
        pinned_at=item.pinned_at,
        archived=item.archived,
        running=item.running,
        shared=item.shared,
    )


def _own(conversation: Conversation) -> dict[str, Any]:
    names = ("id", "folder_id", "title", "created_at", "updated_at", "pinned_at", "archived")
    return {name: getattr(conversation, name) for name in names}


def _usage(entry: Entry) -> UsageReply:
    usage = entry.usage
    return UsageReply(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        total_tokens=usage.total_tokens,
        context_tokens=entry.context_tokens,
        source=entry.source,
    )
