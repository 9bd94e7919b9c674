"""Temporary chats: the page has their messages, and sends all of them with each question. None is written down here.

The answer is made and metered as any of the chat's is: by a run, under the sender's idempotency key.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.database import new_id, reading
from flask_app.domain.blank import is_blank
from flask_app.domain.serving import ServedModel, Thinking
from flask_app.errors import BadRequest, Conflict, Invalid
from flask_app.models import Attempt, Run, TokenUsage, User
from flask_app.services.chat import beginning, chat_service
from flask_app.services.chat.chat_service import Origin
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs import run_service
from flask_app.services.runs.run_events import TemporaryRun
from flask_app.services.secrets import signing
from flask_app.services.usage.message_usage import Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What was said so far, its last turn being the question; without a `model` the default one answers."""

    turns: Sequence[Turn]
    model: str | None
    thinking: Thinking
    idempotency_key: str

    @property
    def digest(self) -> str:
        """The same for the same talk. It is keyed: a plain one would let a short question be guessed."""
        said = [[turn.role, turn.content] for turn in self.turns]
        return signing.sign("temporary", json.dumps([said, self.model, self.thinking])).hex()


def ask(actor: User, talk: Talk, origin: Origin) -> TemporaryRun:
    """Start the answer to the last turn; gives the earlier run for a repeated idempotency key.

    Raises what sending a message does, and Invalid("not_a_question") where the last turn is no person's.
    """
    _check(talk.turns)
    if earlier := _earlier(actor, talk, origin.locale):
        return earlier
    model = model_service.find(talk.model, origin.models)
    keys = failover.candidates_for(model)
    begun = TemporaryRun(run_id=new_id(), locale=origin.locale)
    return beginning.begin(
        lambda connection: (begun, _write(connection, actor, talk, begun, model, keys, origin)),
        earlier=partial(_earlier, actor, talk, origin.locale),
        check=lambda: None,
    )


def details(actor: User, run_id: str) -> Details:
    """Raises NotFound for a run of somebody else's."""
    run = run_service.owned(actor, run_id)
    entries = (
        select(TokenUsage, Attempt.effort)
        .join(Attempt, Attempt.id == TokenUsage.attempt_id)
        .where(Attempt.run_id == run.id, TokenUsage.kind == "usage")
        .order_by(TokenUsage.created_at, TokenUsage.id)
    )
    with reading() as session:
        found = session.execute(entries).all()
    return Details.of(found[-1][0].model if found else None, found)


def _check(turns: Sequence[Turn]) -> None:
    if not turns or turns[-1].role != "user":
        raise Invalid("not_a_question")
    for turn in turns:
        if turn.role == "user" and is_blank(turn.content):
            raise Invalid("empty_message")
        if turn.role == "user":
            chat_service.check_text(turn.content)
        elif "\x00" in turn.content:
            raise BadRequest


def _earlier(actor: User, talk: Talk, locale: str) -> TemporaryRun | None:
    """Raises Conflict where the key was asked under for something else."""
    own = (Run.user_id == actor.id, Run.idempotency_key == talk.idempotency_key)
    with reading() as session:
        run = session.scalar(select(Run).where(*own))
    if run is None:
        return None
    if run.draft_digest != talk.digest:
        raise Conflict("idempotency_key_reused")
    return TemporaryRun(run_id=run.id, locale=locale)


def _write(
    connection: Connection,
    actor: User,
    talk: Talk,
    begun: TemporaryRun,
    model: ServedModel,
    keys: Sequence[Candidate],
    origin: Origin,
) -> Ticket:
    chat_service.check_cap(connection, actor)
    run = run_service.writing(begun.run_id, actor.id, idempotency_key=talk.idempotency_key, draft_digest=talk.digest)
    request = Request(
        user_id=actor.id,
        model=model,
        turns=talk.turns,
        thinking=model.thinks(talk.thinking),
        channel=chat_service.CHANNEL,
        request_id=origin.request_id,
        address=origin.address,
        run_id=begun.run_id,
    )
    return dispatching.dispatch(connection, request, keys, before=[run])
