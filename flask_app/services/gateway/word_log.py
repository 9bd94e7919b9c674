"""What programs ask and are answered, kept where a person wants that of a token of their own, for a while.

It is sealed with the site's key, shown to that person alone, and goes when the time is over, when they want it no more,
with the token, or with its request in the log, whichever comes first. Of a token the newest are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, in_writing, table_of, utc_now
from flask_app.errors import Invalid, NotFound
from flask_app.models import AccessToken, ProgramWords, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Said
from flask_app.services.secrets import sealing
from flask_app.services.tokens import own_tokens

MOST_HOURS = 168
MOST_KEPT = 100  # requests of a token
MOST_LETTERS = 100_000  # of each part
MOST_BYTES = 4 * MOST_LETTERS + 1  # of what is asked: more than so many letters, where there were more

_words, _tokens = table_of(ProgramWords), table_of(AccessToken)
_UNTIL = (
    select(_tokens.c.words_until)
    .where(_tokens.c.id == bindparam("token"), _tokens.c.revoked_at.is_(None))
    .with_for_update(read=True)
)
_OF_TOKEN = _words.c.token_id == bindparam("token")
_TOO_MANY = select(_words.c.id).where(_OF_TOKEN).order_by(_words.c.id.desc()).offset(MOST_KEPT).limit(1)
_FORGET_OLD = delete(_words).where(_OF_TOKEN, _words.c.id <= bindparam("last"))
_FORGET = delete(_words).where(_words.c.id.in_(bindparam("ids", expanding=True)))
_SHOWN = (_words.c.user_id == bindparam("user"), _words.c.until > bindparam("now"))
_KEPT = select(_words.c.id).where(_words.c.id.in_(bindparam("ids", expanding=True)), *_SHOWN)
_FOUND = select(_words.c.content, _words.c.until).where(_words.c.id == bindparam("id"), *_SHOWN)

log = structlog.get_logger()


class Words(msgspec.Struct, kw_only=True):
    """`asked` is the body as it came; the rest is of the answer, each empty where there was none. `cut`: not all."""

    asked: str
    reasoning: str = ""
    text: str = ""
    calls: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    words: Words
    until: datetime


def put(actor: Actor, token_id: str, hours: int) -> datetime:
    """Keep what one's token asks for so long from now on, and what is kept already; gives until when.

    Raises Invalid("bad_words_hours"), and NotFound for a foreign token too.
    """
    if not 0 < hours <= MOST_HOURS:
        raise Invalid("bad_words_hours", limit=MOST_HOURS)

    def work(session: Session) -> datetime:
        token = own_tokens.hold(session, actor, token_id)
        until = token.words_until = utc_now() + timedelta(hours=hours)
        session.flush()
        session.execute(update(ProgramWords).where(ProgramWords.token_id == token_id).values(until=until))
        details = {"name": token.name, "hours": hours}
        audit_service.record(session, actor.user, "token.keep_words", token_id, details, actor.address)
        return until

    return in_transaction(work)


def remove(actor: Actor, token_id: str) -> None:
    """Keep nothing more, and nothing of what was kept. Raises NotFound for a foreign token too."""

    def work(session: Session) -> None:
        token = own_tokens.hold(session, actor, token_id)
        if token.words_until is not None:
            details = {"name": token.name}
            audit_service.record(session, actor.user, "token.forget_words", token_id, details, actor.address)
        token.words_until = None
        session.flush()
        forget(session, token_id)

    in_transaction(work)


def forget(session: Session, token_id: str) -> None:
    """Within the caller's transaction, in which the token's row says that nothing more is kept."""
    session.execute(delete(ProgramWords).where(ProgramWords.token_id == token_id))


def keep(request_id: str, user_id: str, token_id: str, asked: bytes, said: Said | None) -> None:
    """Once a request has ended. What fails here costs these words alone."""
    told = (asked.decode("utf-8", "replace"), *((said.reasoning, said.text, said.calls) if said else ("", "", "")))
    parts = [part[:MOST_LETTERS] for part in told]
    names = ("asked", "reasoning", "text", "calls")
    words = Words(**dict(zip(names, parts, strict=True)), cut=any(len(part) > MOST_LETTERS for part in told))
    sealed = sealing.seal(msgspec.json.encode(words).decode(), request_id)

    def write(connection: Connection) -> None:
        until = connection.scalar(_UNTIL, {"token": token_id})
        if until is None or until <= utc_now():
            return  # it is wanted no more
        whose = {"id": request_id, "user_id": user_id, "token_id": token_id}
        connection.execute(insert(_words), whose | {"content": sealed, "until": until})
        if last := connection.scalar(_TOO_MANY, {"token": token_id}):
            connection.execute(_FORGET_OLD, {"token": token_id, "last": last})

    try:
        in_writing(write, is_there=lambda connection, _: bool(_kept(connection, [request_id], user_id)))
    except SQLAlchemyError as error:
        log.warning("words_not_kept", token=token_id, reason=str(error.__cause__ or error))


def find(actor: User, request_id: str) -> Kept:
    """What one's own request said, by its id in the log. Raises NotFound for somebody else's too."""
    with fetching() as connection:
        whose = {"id": request_id, "user": actor.id, "now": utc_now()}
        row = connection.execute(_FOUND, whose).one_or_none()
    if row is None:
        raise NotFound
    return Kept(msgspec.json.decode(sealing.unseal(row.content, request_id), type=Words), row.until)


def kept(actor: User, ids: Iterable[str]) -> set[str]:
    """Of which of these requests of one's own there are words."""
    with fetching() as connection:
        return _kept(connection, ids, actor.id)


def prune() -> None:
    """Remove what nobody may see any more."""
    now = utc_now()
    with fetching() as connection:
        there_is = connection.scalar(select(_words.c.id).where(_words.c.until <= now).limit(1))
    if there_is:
        in_writing(lambda connection: connection.execute(delete(_words).where(_words.c.until <= now)).rowcount)


def forget_with_log(connection: Connection, ids: Iterable[str]) -> None:
    """What was asked by these requests of the log, which go in the same transaction."""
    connection.execute(_FORGET, {"ids": list(ids)})


def _kept(connection: Connection, ids: Iterable[str], user_id: str) -> set[str]:
    return set(connection.scalars(_KEPT, {"ids": list(ids), "user": user_id, "now": utc_now()}))
