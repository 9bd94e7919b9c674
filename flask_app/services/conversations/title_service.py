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
from flask_app.domain import titles
from flask_app.domain.serving import ServedModel
from flask_app.errors import AppError, NotFound
from flask_app.i18n import language_of, translate
from flask_app.models import Conversation, Message
from flask_app.services.budgets import budget_service
from flask_app.services.chat import prompts
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.attempts import Outcome
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.conversations import title_setting
from flask_app.services.conversations.title_answer import TitleAnswer, TitleRun
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs import closing, doubt, run_service
from flask_app.services.runs.run_events import Begun

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
_first_question = (
    select(_messages.c.text)
    .where(_messages.c.conversation_id == _conversations.c.id, _messages.c.role == "user")
    .order_by(_messages.c.created_at, _messages.c.id)
    .limit(1)
    .scalar_subquery()
)
_untitled = (_conversations.c.id == bindparam("conversation"), _conversations.c.titled_by.is_(None))
_UNTITLED = select(_conversations.c.title, _first_question).where(*_untitled, ~_answered_otherwise)
_CLAIM = (
    update(_conversations)
    .where(*_untitled, _conversations.c.title == bindparam("first_words"))
    .values(titled_by=bindparam("run"))
)

log = structlog.get_logger()


def consider(begun: Begun, request: Request, outcome: Outcome) -> None:
    """Have a title written, on a thread of its own, where this may be the conversation's first answer."""
    if prompts.is_first(request) and outcome.status in {"complete", "stopped"} and outcome.whole_text.strip():
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
    chosen = None if closing.is_leaving() else title_setting.chosen()
    asked = _asked(begun) if chosen else None
    model = model_service.find(None if chosen == title_setting.DEFAULT else chosen) if asked is not None else None
    if asked is None or model is None or model.local:  # answers want the time of this machine's own
        return
    first_words, question = asked
    run = TitleRun(run_id=new_id())
    words = translate(language_of(question), "chat.title_prompt", question=question[:OF_QUESTION], answer=answer)
    wanted = _request(request, run, model, words)
    keys = failover.candidates_for(model)
    ticket = in_writing(
        lambda connection: _write(connection, begun, first_words, wanted, keys),
        is_there=lambda connection, _: doubt.renew(connection, run.run_id),
        doubted=lambda written: doubt.forgo(written, None),
    )
    run_service.start(TitleAnswer(run, begun.conversation_id, first_words), ticket)


def _asked(begun: Begun) -> tuple[str, str] | None:
    """Its title and its first question, where this is its first answer and nobody has given it another title.

    A version from before `titled_by` wrote the title alone where somebody renamed it. A question without words has
    files: their names are its title.
    """
    ids = {"conversation": begun.conversation_id, "message": begun.message_id}
    with fetching() as connection:
        found = connection.execute(_UNTITLED, ids).one_or_none()
    if found is None:
        return None
    title, question = found
    words = (question or "").strip() or title
    return (title, words) if title == titles.first_words(words) else None


def _request(answered: Request, run: TitleRun, model: ServedModel, words: str) -> Request:
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


def _write(
    connection: Connection, begun: Begun, first_words: str, wanted: Request, keys: Sequence[Candidate]
) -> Ticket:
    """Raises NotFound where it was renamed, deleted, or another was quicker."""
    run_id = wanted.run_id or ""
    budget_service.take_turn(connection, wanted.user_id)
    claim = {"conversation": begun.conversation_id, "run": run_id, "first_words": first_words}
    if connection.execute(_CLAIM, claim).rowcount != 1:
        raise NotFound
    run = run_service.writing(run_id, wanted.user_id)
    return dispatching.dispatch(connection, wanted, keys, before=[run])
