"""Requests that programs send under an `Idempotency-Key`: each is answered and paid for once, however often it is sent.

The key belongs to the token: its row is written in the transaction that reserves for the answer, and the primary key
lets one of all servers do that. What became of the answer is what the ledger says. A whole reply is kept for an hour,
sealed with what is derived from the token's secret and the key, neither of which is stored: only who sends both again
can have it opened.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Select, UpdateBase, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import fetching, in_writing, table_of, utc_now
from flask_app.errors import Conflict
from flask_app.models import Attempt, ProgramKey, Run
from flask_app.services.runs import closing
from flask_app.statements import Prepared

KEPT, REPLIES_KEPT = timedelta(days=1), timedelta(hours=1)
MOST_BYTES = 1 << 20  # of a reply: a longer one is not kept
BEING_KEPT = timedelta(seconds=10)  # how long after its booking a reply may still be on its way into the row
RETRY_SECONDS = 2
BATCH, BATCHES, PAUSE_SECONDS = 500, 100, 0.05
_NONCE_BYTES = 12

_keys, _runs, _attempts = table_of(ProgramKey), table_of(Run), table_of(Attempt)
_INSERT = Prepared(
    {
        "sqlite": sqlite.insert(_keys).on_conflict_do_nothing(),
        "mysql": mysql.insert(_keys).prefix_with("IGNORE"),
        "mariadb": mysql.insert(_keys).prefix_with("IGNORE"),
    }
)
_of_its_run = _attempts.c.run_id == _keys.c.run_id
_FOUND = select(
    _keys,
    or_(
        exists().where(_runs.c.id == _keys.c.run_id, _runs.c.status == "running"),
        exists().where(_of_its_run, _attempts.c.state == "dispatched"),
    ).label("is_running"),
    select(func.max(_attempts.c.ended_at))
    .where(_of_its_run, _attempts.c.state == "settled")
    .scalar_subquery()
    .label("booked_at"),
).where(_keys.c.id == bindparam("key"))
_OWN = update(_keys).where(_keys.c.id == bindparam("key"), _keys.c.run_id == bindparam("run"))
_OLD = select(_keys.c.id).where(_keys.c.created_at < bindparam("before")).order_by(_keys.c.created_at).limit(BATCH)
_READ = select(_keys.c.id).where(_keys.c.reply_until < bindparam("before")).order_by(_keys.c.reply_until).limit(BATCH)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskedUnder:
    """The key that a request came under. `opens` opens the reply and is not stored; `is_whole`: not as a stream."""

    id: str
    body_digest: str
    opens: bytes
    is_whole: bool

    @classmethod
    def of(cls, secret: str, key: str, *asked: bytes, is_whole: bool) -> "AskedUnder":
        """`secret` is the token's, `asked` all that must be the same again, piece by piece."""
        root = hmac.digest(secret.encode(), key.encode(), "sha256")
        of_body = hmac.new(root, b"body\0", "sha256")
        for piece in asked:
            of_body.update(piece)
        return cls(
            hmac.digest(root, b"id", "sha256").hex(),
            of_body.hexdigest(),
            hmac.digest(root, b"reply", "sha256"),
            is_whole,
        )


def look(under: AskedUnder) -> bytes | None:
    """The reply that was given under the key; None where there is none, and the request may be answered.

    Raises Conflict as `claim` does.
    """
    with fetching() as connection:
        row = connection.execute(_FOUND, {"key": under.id}).one_or_none()
    if row is None:
        return None
    _check_body(row, under)
    if row.reply is not None:
        return _opened(under, row.reply)
    _check_free(row)
    return None


def claim(connection: Connection, under: AskedUnder, run_id: str, request_id: str) -> None:
    """In the transaction that begins the run: the key is its own now.

    Raises Conflict("idempotency_key_reused") where it came with another body, "idempotency_key_in_use" while an answer
    is made under it, and "idempotency_key_used" once one was booked whose reply is not kept. An answer that
    failed and cost nothing leaves the key free.
    """
    now = utc_now()
    own = {"run_id": run_id, "request_id": request_id, "created_at": now}
    own |= {"reply": None, "reply_until": now + REPLIES_KEPT if under.is_whole else None}
    if _INSERT.run(connection, {"id": under.id, "body_digest": under.body_digest, **own}).rowcount == 1:
        return
    row = connection.execute(_FOUND, {"key": under.id}).one_or_none()
    if row is not None and row.reply is None:
        _check_body(row, under)
        _check_free(row)
        if connection.execute(_OWN.values(own), {"key": under.id, "run": row.run_id}).rowcount == 1:
            return
    # Taken, removed or replied to in this moment: whoever asks again hears what came of it.
    raise Conflict("idempotency_key_in_use", retry_after=RETRY_SECONDS)


def keep(under: AskedUnder, run_id: str, reply: bytes | None) -> None:
    """Keep the reply, or note that there will be none. It has been booked: what fails here costs the reply alone."""
    kept = None if reply is None or len(reply) > MOST_BYTES else _sealed(under, reply)
    values = {"reply": kept, "reply_until": utc_now() + REPLIES_KEPT if kept else None}
    try:
        in_writing(
            lambda connection: connection.execute(_OWN.values(values), {"key": under.id, "run": run_id}).rowcount
        )
    except SQLAlchemyError as error:
        log.warning("reply_not_kept", run=run_id, reason=str(error.__cause__ or error))


def prune() -> None:
    """Remove replies after an hour and keys after a day, a little at a time."""
    now = utc_now()
    no_reply = update(_keys).values(reply=None, reply_until=None)
    _remove(_READ, now, lambda ids: no_reply.where(_keys.c.id.in_(ids), _keys.c.reply_until < now))
    _remove(_OLD, now - KEPT, lambda ids: delete(_keys).where(_keys.c.id.in_(ids), _keys.c.created_at < now - KEPT))


def _remove(found_by: Select[str], before: datetime, removal: Callable[[list[str]], UpdateBase]) -> None:
    for _ in range(BATCHES):
        with fetching() as connection:
            ids = list(connection.scalars(found_by, {"before": before}))
        if not ids or closing.is_closed():
            return
        in_writing(partial(Connection.execute, statement=removal(ids)))
        time.sleep(PAUSE_SECONDS)


def _check_body(row: Row[Any], under: AskedUnder) -> None:
    if not hmac.compare_digest(row.body_digest, under.body_digest):
        raise Conflict("idempotency_key_reused")


def _check_free(row: Row[Any]) -> None:
    is_being_kept = row.booked_at and row.reply_until and row.booked_at > utc_now() - BEING_KEPT
    if row.is_running or is_being_kept:
        raise Conflict("idempotency_key_in_use", retry_after=RETRY_SECONDS)
    if row.booked_at:
        raise Conflict("idempotency_key_used", request=row.request_id)


def _sealed(under: AskedUnder, reply: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(under.opens).encrypt(nonce, reply, under.id.encode())


def _opened(under: AskedUnder, sealed: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(under.opens).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], under.id.encode())
