"""How an answer ends, written down once: its run, its text, its conversation's time."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import bindparam, case, delete, exists, select, update
from sqlalchemy.engine import Connection

from flask_app.database import table_of, utc_now
from flask_app.models import Conversation, Message, Run
from flask_app.services.completion.attempts import Earlier, Outcome
from flask_app.services.search import search_postings
from flask_app.statements import Act, Prepared, once

_messages, _runs, _conversations = table_of(Message), table_of(Run), table_of(Conversation)
_WORDS = ("text", "reasoning", "thinking_ms")
_SAVE = Prepared(
    update(_messages)
    .where(_messages.c.id == bindparam("message_id"))
    .values({name: bindparam(f"new_{name}") for name in (*_WORDS, "status", "finish_reason", "error_code")})
)
_RESTORABLE = (
    select(_messages.c.text, _messages.c.reasoning)
    .where(
        _messages.c.id == bindparam("message"),
        _messages.c.status.in_(["interrupted", "stopped"]),
        ~exists().where(_runs.c.message_id == bindparam("message"), _runs.c.id > bindparam("run")),
    )
    .with_for_update()
)
_RESTORE = (
    update(_messages)
    .where(_messages.c.id == bindparam("message"))
    .values({name: bindparam(f"new_{name}") for name in _WORDS})
)
_TURN = (
    update(_runs)
    .where(_runs.c.id == bindparam("run"), _runs.c.status == "running", _runs.c.message_id == bindparam("message"))
    .values(text_before=bindparam("text"), reasoning_before=bindparam("reasoning"))
)
_END_RUN = Prepared(
    update(_runs)
    .where(_runs.c.id == bindparam("run"), _runs.c.status == "running")
    .values(status=bindparam("new_status"))
)
_FORGET = Prepared(
    delete(_runs).where(
        _runs.c.id == bindparam("run"), _runs.c.conversation_id.is_(None), _runs.c.idempotency_key.is_(None)
    )
)
_TOUCH = Prepared(
    update(_conversations).where(_conversations.c.id == bindparam("conversation")).values(updated_at=bindparam("now"))
)
_is_its_own = _messages.c.status == _runs.c.status  # not so once another run goes on with the message
FINISH_REASON = case((_is_its_own, _messages.c.finish_reason)).label("finish_reason")
ERROR_CODE = case((_is_its_own, _messages.c.error_code)).label("error_code")
_HOW_IT_ENDED = (
    select(_runs.c.status, FINISH_REASON, ERROR_CODE)
    .outerjoin(_messages, _messages.c.id == _runs.c.message_id)
    .where(_runs.c.id == bindparam("run"))
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as the database has it."""

    status: str
    finish_reason: str | None
    error_code: str | None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(outcome.answer_status, outcome.finish_reason, outcome.error_code)


def end(connection: Connection, outcome: Outcome, *, run_id: str, message_id: str, conversation_id: str) -> Ending:
    """End the run with its answer, unless it has ended: what was written then stays, however late a worker comes.

    Gives how the run ended, whoever ended it.
    """
    if _END_RUN.run(connection, {"run": run_id, "new_status": outcome.answer_status}).rowcount == 1:
        if not save(connection, message_id, outcome):
            forget(connection, run_id, outcome)
        _TOUCH.run(connection, {"conversation": conversation_id, "now": utc_now()})
    elif stored := how_it_ended(connection, run_id):
        return stored
    return Ending.of(outcome)


def ending(outcome: Outcome, *, run_id: str, message_id: str, conversation_id: str) -> list[Act]:
    """What does the same for a run that nobody has ended, whose message is there; it meets Missed otherwise."""
    return [
        Act(_END_RUN, [{"run": run_id, "new_status": outcome.answer_status}], once),
        Act(_SAVE, [_saved(message_id, outcome)], once),
        Act(_TOUCH, [{"conversation": conversation_id, "now": utc_now()}]),
    ]


def turn(connection: Connection, earlier: Earlier, *, run_id: str, message_id: str) -> bool:
    """Keep what a run's rounds have said, before its next one; False where the run is over, or its message gone."""
    before = {"run": run_id, "message": message_id, "text": len(earlier.text), "reasoning": len(earlier.reasoning)}
    if connection.execute(_TURN, before).rowcount != 1:
        return False
    words = {f"new_{name}": getattr(earlier, name) for name in _WORDS}
    connection.execute(_RESTORE, {"message": message_id, **words})
    return True


def forget(connection: Connection, run_id: str, outcome: Outcome) -> None:
    """The end of a run whose answer is kept nowhere: nothing stays but what its attempts say.

    That of a temporary chat's stays itself, for its reader elsewhere to hear how it ended.
    """
    if _FORGET.run(connection, {"run": run_id}).rowcount == 0:
        _END_RUN.run(connection, {"run": run_id, "new_status": outcome.answer_status})


def forgetting(run_id: str) -> Act:
    """What does the same for an answer to a program."""
    return Act(_FORGET, [{"run": run_id}])


def how_it_ended(connection: Connection, run_id: str) -> Ending | None:
    """What the database says of a run; None where it has gone with its conversation."""
    row = connection.execute(_HOW_IT_ENDED, {"run": run_id}).one_or_none()
    return None if row is None else Ending(*row)


def restore(connection: Connection, outcome: Outcome, *, run_id: str, message_id: str) -> None:
    """Give the words back to an answer that a reaper ended without all of them, unless a later run went on with it.

    Whether one did is told by the words: the ids of runs are as right as the clocks of their instances.
    """
    stored = connection.execute(_RESTORABLE, {"message": message_id, "run": run_id}).one_or_none()
    text = outcome.whole_text
    if stored and text.startswith(stored.text) and _grows_from(stored.reasoning, outcome):
        connection.execute(_RESTORE, {"message": message_id, **_words(outcome)})
        if text != stored.text:
            search_postings.look_again(connection, message_id)


def _grows_from(thoughts: str, outcome: Outcome) -> bool:
    """Also from those that gave way to it, where the reaper had nothing else."""
    gave_way = outcome.earlier is not None and thoughts == outcome.earlier.reasoning
    return gave_way or outcome.whole_reasoning.startswith(thoughts)


def save(connection: Connection, message_id: str, outcome: Outcome) -> bool:
    """Write the answer's text and how it ended, for whoever has just ended its run. False where it has gone."""
    return _SAVE.run(connection, _saved(message_id, outcome)).rowcount == 1


def _saved(message_id: str, outcome: Outcome) -> dict[str, str | int | None]:
    return {
        "message_id": message_id,
        "new_status": outcome.answer_status,
        "new_finish_reason": outcome.finish_reason,
        "new_error_code": outcome.error_code,
        **_words(outcome),
    }


def _words(outcome: Outcome) -> dict[str, str | int | None]:
    return {f"new_{name}": getattr(outcome, f"whole_{name}") for name in _WORDS}
