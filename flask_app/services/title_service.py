"""Titles of conversations, written by a model: asked for once, when a conversation's first answer has ended.

The request is an attempt like any other, on the person's account and in the channel "title". Whatever stands in its
way, the conversation keeps the first words of its question.
"""

import threading
from collections.abc import Sequence

import structlog
from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bind_contextvars

from flask_app.database import fetching, in_writing, new_id, table_of
from flask_app.domain.serving import ServedModel
from flask_app.errors import AppError, NotFound
from flask_app.i18n import language_of, translate
from flask_app.models import Conversation, Message
from flask_app.services import (
    budget_service,
    closing,
    completion_service,
    doubt,
    failover,
    model_service,
    run_service,
    title_setting,
)
from flask_app.services.attempts import Outcome
from flask_app.services.completion_service import Ticket
from flask_app.services.key_service import Candidate
from flask_app.services.prompts import Request, Turn
from flask_app.services.run_events import Begun
from flask_app.services.title_answer import TitleAnswer, TitleRun

CHANNEL = "title"
MAX_TOKENS = 64
OF_QUESTION, OF_ANSWER = 600, 300  # characters that are shown to the model

_conversations, _messages = table_of(Conversation), table_of(Message)
_answered_otherwise = exists().where(
    _messages.c.conversation_id == _conversations.c.id,
    _messages.c.id != bindparam("message"),
    _messages.c.role == "assistant",
    _messages.c.status != "running",
    _messages.c.text != "",
)
_UNTITLED = select(_conversations.c.id).where(
    _conversations.c.id == bindparam("conversation"), _conversations.c.titled_by.is_(None), ~_answered_otherwise
)
_CLAIM = (
    update(_conversations)
    .where(_conversations.c.id == bindparam("conversation"), _conversations.c.titled_by.is_(None))
    .values(titled_by=bindparam("run"))
)

log = structlog.get_logger()


def consider(begun: Begun, request: Request, outcome: Outcome) -> None:
    """Have a title written, on a thread of its own, where this may be the conversation's first answer."""
    is_first = len(request.turns) == 1
    if is_first and outcome.status in {"complete", "stopped"} and outcome.whole_text.strip():
        told = (begun, request, outcome.whole_text[:OF_ANSWER])
        threading.Thread(target=_ask, args=told, name=f"title-{begun.conversation_id}", daemon=True).start()


def _ask(begun: Begun, request: Request, answer: str) -> None:
    bind_contextvars(request=request.request_id)
    try:
        _begin(begun, request, answer)
    except AppError as error:
        log.info("no_title", conversation=begun.conversation_id, code=error.code)
    except SQLAlchemyError as error:
        log.warning("no_title", conversation=begun.conversation_id, reason=str(error.__cause__ or error))
    except Exception:
        log.exception("no_title", conversation=begun.conversation_id)


def _begin(begun: Begun, request: Request, answer: str) -> None:
    model = None if closing.is_leaving() else _model(begun)
    if model is None:
        return
    run = TitleRun(run_id=new_id())
    wanted = _request(request, run, model, answer)
    keys = failover.candidates_for(model)
    ticket = in_writing(
        lambda connection: _write(connection, begun, wanted, keys),
        is_there=lambda connection, _: doubt.renew(connection, run.run_id),
        doubted=lambda written: doubt.forgo(written, None),
    )
    run_service.start(TitleAnswer(run, begun.conversation_id), ticket)


def _model(begun: Begun) -> ServedModel | None:
    """Who is to be asked, if anybody is. A model of this machine is not: answers want its time."""
    chosen = title_setting.chosen()
    if chosen is None or not _is_untitled(begun):
        return None
    model = model_service.find(chosen)
    return None if model.local else model


def _is_untitled(begun: Begun) -> bool:
    """Is this its first answer, and has nobody given it a title?"""
    ids = {"conversation": begun.conversation_id, "message": begun.message_id}
    with fetching() as connection:
        return connection.scalar(_UNTITLED, ids) is not None


def _request(answered: Request, run: TitleRun, model: ServedModel, answer: str) -> Request:
    question = answered.turns[0].content[:OF_QUESTION]
    words = translate(language_of(question), "chat.title_prompt", question=question, answer=answer)
    return Request(
        user_id=answered.user_id,
        model=model,
        turns=[Turn("user", words)],
        thinking=False,
        channel=CHANNEL,
        request_id=answered.request_id,
        address=answered.address,
        run_id=run.run_id,
        max_tokens=MAX_TOKENS,
        in_passing=True,
    )


def _write(connection: Connection, begun: Begun, wanted: Request, keys: Sequence[Candidate]) -> Ticket:
    """Raises NotFound where it was renamed, deleted, or another was quicker."""
    run_id = wanted.run_id or ""
    budget_service.take_turn(connection, wanted.user_id)
    if connection.execute(_CLAIM, {"conversation": begun.conversation_id, "run": run_id}).rowcount != 1:
        raise NotFound
    run_service.write(connection, run_id, wanted.user_id)
    return completion_service.dispatch(connection, wanted, keys)
