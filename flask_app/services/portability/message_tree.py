"""The messages of a conversation that comes from elsewhere: is it a tree, and what of each message can be kept."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flask_app import i18n
from flask_app.database import mark_of, marked_id
from flask_app.errors import Invalid
from flask_app.services.portability.conversation_format import Said

MOST_MESSAGES = 20_000  # of one conversation, its files and calls among them
EARLIEST, LATEST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2900, 1, 1, tzinfo=UTC)
MOST_THINKING_MS = 24 * 3600 * 1000

_STATUSES = frozenset({"complete", "stopped", "left", "interrupted", "failed"})
_TOO_LONG = {"conversation_too_long", "message_too_long_for_model"}
_CODES = frozenset({"interrupted", "internal", *_TOO_LONG})
_OF_PROVIDERS = "upstream_"
_NAME_LENGTH, _REASON_LENGTH = 128, 64


def in_order(messages: Sequence[Said]) -> list[Said]:
    """Each behind the one that it follows. Raises Invalid("import_not_a_tree"), Invalid("import_too_many_messages")."""
    if len(messages) + sum(len(said.files) + len(said.calls) for said in messages) > MOST_MESSAGES:
        raise Invalid("import_too_many_messages", limit=MOST_MESSAGES)
    if len({said.id for said in messages}) != len(messages):  # below, one that follows itself would come for ever
        raise Invalid("import_not_a_tree")
    following: dict[str | None, list[Said]] = defaultdict(list)
    for said in messages:
        following[said.parent_id].append(said)
    found = following.pop(None, [])
    for said in found:  # it grows on the way; each is followed once, so that none comes twice
        found += following.pop(said.id, [])
    if len(found) != len(messages):
        raise Invalid("import_not_a_tree")
    return found


class Placed(NamedTuple):
    """A message as it is written, and as it came."""

    row: dict[str, Any]
    said: Said


def placed(
    conversation_id: str, messages: Sequence[Said], now: datetime, here: Mapping[str, str] | None = None
) -> list[Placed]:
    """What is written: under new ids, in the order of `messages` where times are the same.

    `here` are the ids of those that have come before, by their marks: others follow them, they are not written again.
    Raises as `in_order` does, and Invalid("import_empty").
    """
    if not messages:
        raise Invalid("import_empty")
    here = here or {}
    ids: dict[str, str] = {}
    for place, said in enumerate(sorted(messages, key=lambda said: said.created_at)):
        ids[said.id] = here.get(mark(conversation_id, said.id)) or _new_id(conversation_id, said.id, now, place)
    return [
        Placed(
            {
                "id": ids[said.id],
                "conversation_id": conversation_id,
                "parent_id": ids[said.parent_id] if said.parent_id else None,
                "created_at": moment(said.created_at, now),
                **_kept(said),
            },
            said,
        )
        for said in in_order(messages)
        if mark(conversation_id, said.id) not in here
    ]


def mark(conversation_id: str, said_id: str) -> str:
    """By what a message is known again, whenever it came: its id here ends so."""
    return mark_of(_new_id(conversation_id, said_id, EARLIEST, 0))


def _new_id(conversation_id: str, said_id: str, now: datetime, place: int) -> str:
    """One of now: what is new is looked for by them, and found by the search."""
    return marked_id(now, place, f"{conversation_id}\n{said_id}")


def moment(told: datetime, now: datetime) -> datetime:
    """Nothing was said before there were chats, or is said yet."""
    return min(max(told, EARLIEST), now)


def _kept(said: Said) -> dict[str, Any]:
    is_answer = said.role == "assistant"
    status = said.status if said.status in _STATUSES else "interrupted" if said.status == "running" else "complete"
    thinking_ms = said.thinking_ms if said.thinking_ms and 0 < said.thinking_ms <= MOST_THINKING_MS else None
    return {
        "role": said.role,
        "status": status if is_answer else "complete",
        "text": said.text.replace("\x00", ""),
        "reasoning": said.reasoning.replace("\x00", "") if is_answer else "",
        "thinking_ms": thinking_ms if is_answer else None,
        "model": short(said.model, _NAME_LENGTH),
        "finish_reason": short(said.finish_reason, _REASON_LENGTH) if is_answer else None,
        "error_code": _code(said.error_code) if is_answer else None,
    }


def _code(told: str | None) -> str | None:
    """One that an answer may have ended by here."""
    if told is None or not (told in _CODES or told.startswith(_OF_PROVIDERS)):
        return None
    return told if f"error.{told}" in i18n.catalogue(i18n.DEFAULT_LOCALE) else None


def short(words: str | None, length: int) -> str | None:
    """What prints at the beginning, or nothing."""
    read = (words or "")[: 2 * length]
    kept = "".join(each for each in read if each.isprintable())[:length].strip()
    return kept or None
