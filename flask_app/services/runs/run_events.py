"""A run's events as its readers get them: names, payloads, and the words of an error."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from flask_app.domain.events import Event, Reasoning, Thought, Token
from flask_app.domain.tools import Call
from flask_app.domain.web_sources import RUNNING, Search
from flask_app.i18n import translate
from flask_app.models import Run
from flask_app.services.completion.attempts import Entry
from flask_app.services.runs.answer_service import Ending
from flask_app.services.runs.stored_answers import StoredAnswer
from flask_app.streams import Named, RunLog

MOST_LETTERS = 8192  # of one event

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that is committed and about to start. `locale` is the language its errors are told in.

    `found_by` is how passages of its question's documents were found, where they were just now (`models.MessageFile`).
    """

    run_id: str
    conversation_id: str
    message_id: str
    user_message_id: str
    title: str
    locale: str
    found_by: str | None = None

    @classmethod
    def of(cls, run: Run, title: str, locale: str, *, run_id: str | None = None) -> "Begun":
        """The run itself, or another, `run_id`, on the same message."""
        ids = {name: getattr(run, name) for name in ("conversation_id", "message_id", "user_message_id")}
        return cls(run_id=run_id or run.id, **ids, title=title, locale=locale)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryRun:
    """The same in a temporary chat, whose messages are the page's own: it has no id but the run's."""

    run_id: str
    locale: str
    conversation_id: None = None
    message_id: None = None
    user_message_id: None = None
    title: str = ""
    found_by: None = None


Told = Begun | TemporaryRun


def begun_of(run: Run, title: str | None, locale: str) -> Told:
    """What its readers are told of a run."""
    if run.conversation_id is None:
        return TemporaryRun(run_id=run.id, locale=locale)
    return Begun.of(run, title or "", locale)


def started(events: RunLog, begun: Told, model: str | None) -> None:
    """The first event; a reader that meets it begins the answer anew."""
    ids = {name: getattr(begun, name) for name in ("run_id", "conversation_id", "message_id", "user_message_id")}
    found = {"found_by": begun.found_by} if begun.found_by else {}
    events.append("start", _encode({**ids, "title": begun.title, "model": model, **found}))


def searched(events: RunLog, search: Search) -> None:
    """That the web is being searched for the question, or what came of it."""
    if search.status == RUNNING:
        events.append("searching", _encode({"query": search.query}))
    else:
        events.append("sources", _encode(search))


def found(events: RunLog, search: Search) -> None:
    """All that the answer's model has found by now, itself."""
    events.append("found", _encode(search))


def called(events: RunLog, call: Call, began_at: datetime | None = None) -> None:
    """How a call of a tool stands now, and since when it runs, where that is known: by the server's clock."""
    since = {} if began_at is None else {"began_at": began_at}
    events.append("tool", _encode(msgspec.structs.asdict(call) | since))


def whole(events: RunLog, text: str, reasoning: str, thinking_ms: int | None = None) -> None:
    """Tell what has been written of an answer, a few thousand letters at a time: a slow reader holds no more."""
    _pieces(events, Reasoning, reasoning)
    if thinking_ms is not None:
        arrived(events, Thought(thinking_ms))
    _pieces(events, Token, text)


def arrived(events: RunLog, event: Event) -> None:
    """Pass on a piece of the answer; other events are told at the end."""
    if isinstance(event, Token):
        events.append("token", _encode(event))
    elif isinstance(event, Reasoning):
        events.append("reasoning", _encode(event))
    elif isinstance(event, Thought):
        events.append("thought", _encode(event))


def arrived_together(events: RunLog, pieces: list[Event]) -> None:
    """Pass on several, one after the other, that came at once."""
    if len(pieces) == 1:  # nearly always
        arrived(events, pieces[0])
        return
    with events.together():
        for piece in pieces:
            arrived(events, piece)


def _pieces(events: RunLog, kind: type[Reasoning | Token], words: str) -> None:
    for start in range(0, len(words), MOST_LETTERS):
        arrived(events, kind(words[start : start + MOST_LETTERS]))


def counted(entry: Entry) -> Named:
    """What was used, before the last event."""
    return "usage", _encode(usage_payload(entry))


def ended(begun: Told, ending: Ending) -> Named:
    """The last event: `error` when something went wrong, else `done`."""
    if ending.error_code:
        return failed(begun, ending.error_code)
    how = {"status": ending.status, "finish_reason": ending.finish_reason}
    return "done", _encode({**how, "title": begun.title})


def failed(begun: Told, code: str) -> Named:
    return "error", failure(begun.locale, code)


def words_of(code: str) -> str:
    """The catalogue's name of what is said of an answer that ended with this code: nothing in it is to be filled in."""
    return f"error.{_MIDWAY.get(code, code)}"


def failure(locale: str, code: str) -> bytes:
    """What an event `error` says."""
    words = translate(locale, words_of(code))
    return _encode({"code": code, "message": words, "retryable": code not in _FINAL})


def replay(events: RunLog, begun: Begun, stored: StoredAnswer, told: StoredAnswer | None = None) -> None:
    """A stored answer as the events a reader expects who was `told` it as it was before; the end once it is over."""
    if told is None or not stored.goes_on_from(told):
        started(events, begun, stored.model)
        _looked_up(events, stored)
        for call in stored.calls:
            called(events, call)
        whole(events, stored.text, stored.reasoning, stored.thought_ms)
    else:
        _looked_up(events, stored, told)
        for call in stored.calls:
            if call not in told.calls:
                called(events, call)
        news = stored.thought_ms if stored.thought_ms != told.thought_ms else None
        whole(events, stored.text[len(told.text) :], stored.reasoning[len(told.reasoning) :], news)
    events.finish([ended(begun, stored.ending)] if stored.is_over else [])


def _looked_up(events: RunLog, stored: StoredAnswer, told: StoredAnswer | None = None) -> None:
    """What was found for the question, and by the answer's model itself, as far as that is news."""
    if stored.search and (told is None or stored.search != told.search):
        searched(events, stored.search)
    if stored.found and (told is None or stored.found != told.found):
        found(events, stored.found)


def replay_end(events: RunLog, begun: Told, status: str | None) -> None:
    """The end of an answer whose words nobody has any more. Whoever has not heard all of a whole one is told so."""
    broke_off = status in {"interrupted", "stopped", "left"}
    events.finish([ended(begun, Ending(status or "", None, None if broke_off else "answer_gone"))])


def usage_payload(entry: Entry) -> dict[str, object]:
    usage = entry.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "total_tokens": usage.total_tokens,
        "context_tokens": entry.context_tokens,
        "source": entry.source,
    }


# How the rounds of an answer that calls tools end where no other one may begin.
_OF_BUDGETS = ("budget_exhausted", "budget_held", "balance_exhausted", "balance_held")
_MIDWAY = dict.fromkeys(_OF_BUDGETS, "budget_exhausted_midway") | {"upstream_resting": "unavailable"}
# Asking again does not help before somebody has changed something.
_FINAL = frozenset(
    {
        "answer_gone",
        "conversation_gone",
        "conversation_too_long",
        "message_too_long_for_model",
        "model_not_for_group",
        "no_model",
        "no_model_for_group",
        "no_working_key",
        "unknown_model",
        "upstream_rejected",
        "upstream_key_refused",
        "upstream_no_balance",
    }
)
