"""The statements about keys' benches, made once: each for a key alone, and for all keys of its account.

Keys of an account are locked in the order of their ids, so that requests which fail together wait for each other
instead of breaking each other off.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, true, update
from sqlalchemy.engine import Connection

from flask_app.column_types import UtcDateTime
from flask_app.database import table_of
from flask_app.domain import cooldown
from flask_app.domain.web_sources import CHANNEL as SEARCH
from flask_app.models import ApiKey, Attempt
from flask_app.services.ledger import shared_clock
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import UsableKey
from flask_app.statements import Prepared, Query

SHARED = ("benched_until", "benched_since", "bench_code", "probe_until", "strikes", "last_error_code", "last_error_at")
_NO_BENCH = dict.fromkeys(("benched_until", "benched_since", "bench_code", "probe_until"))
_NO_ERROR = {"strikes": 0} | dict.fromkeys(("last_error_code", "last_error_at", "last_error_detail"))

_keys, _attempts = table_of(ApiKey), table_of(Attempt)
_itself = _keys.c.id == bindparam("key")
_now, _no_probe_before = (bindparam(name, type_=UtcDateTime()) for name in ("now", "no_probe_before"))


class Scoped(NamedTuple):
    """A statement about one key, and the same about it and those that share its account."""

    alone: Any
    together: Any


def _scoped(statement: Any, among: ColumnElement[bool] | None = None) -> Scoped:
    """`among`: which of the account's other keys it concerns; all without."""
    others = and_(_keys.c.account == bindparam("shared"), true() if among is None else among)
    together = statement.where(_keys.c.provider_id == bindparam("provider"), or_(_itself, others))
    return Scoped(statement.where(_itself), together)


def run(connection: Connection, scoped: Scoped, key: UsableKey, why: str | None = None, **values: Any) -> Any:
    """Execute for the key, and for those of its account unless `why`, an error's code, is of this key alone.

    Whoever looks at what was noted goes on to note moments: by what the database's clock says now, not a while ago.
    """
    if scoped is HISTORY:
        shared_clock.ask(connection)
    if key.account is None or (why is not None and why not in cooldown.ACCOUNT_CODES):
        return connection.execute(scoped.alone, {"key": key.id, **values})
    group = {"key": key.id, "provider": key.provider_id, "shared": key.account}
    return connection.execute(scoped.together, group | values)


def _earlier(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    return or_(column.is_(None), column < bindparam(name))


STANDING = Query(
    select(
        _keys.c.benched_until,
        _keys.c.bench_code,
        _keys.c.probe_until,
        _keys.c.last_error_at,
        _keys.c.last_used_at,
    ).where(_itself, key_service.usable())
)
LOCK = select(_keys.c.id).where(_itself).with_for_update()
# A search asks none of its models.
COUNT_LIVE = select(func.count()).where(
    _attempts.c.state == "dispatched", _attempts.c.key_id == bindparam("key"), _attempts.c.channel != SEARCH
)
HISTORY = _scoped(
    select(_keys.c.id, _keys.c.benched_until, _keys.c.last_error_at, _keys.c.strikes)
    .order_by(_keys.c.id)
    .with_for_update()
)
CLAIM = _scoped(
    update(_keys)
    .where(
        _keys.c.benched_until == bindparam("seen"),
        or_(_keys.c.probe_until.is_(None), _keys.c.probe_until <= _now),
    )
    .values(probe_until=bindparam("until"))
)
FREE = _scoped(update(_keys).where(_keys.c.probe_until == bindparam("claimed")).values(probe_until=None))
BENCH = _scoped(
    update(_keys).values(
        benched_until=bindparam("until"),
        benched_since=func.coalesce(_keys.c.benched_since, _now),
        bench_code=bindparam("code"),
        probe_until=func.coalesce(_no_probe_before, _keys.c.probe_until),
        strikes=bindparam("new_strikes"),
        last_error_code=bindparam("code"),
        last_error_at=_now,
        last_error_detail=bindparam("detail"),
    ),
    among=_earlier(_keys.c.benched_until, "until"),  # a longer bench of another key stays
)
NOTE = (
    update(_keys)
    .where(_itself)
    .values(last_error_code=bindparam("code"), last_error_at=_now, last_error_detail=bindparam("detail"))
)
NOTE_BROKEN = NOTE.where(_keys.c.benched_until.is_(None))  # beside a bench its moment would say what ends that
# What an answer, or a balance, ends: errors of before it was asked for, and those of a clock that is ahead, or was set
# back since.
_is_over = or_(_earlier(_keys.c.last_error_at, "asked"), _keys.c.last_error_at > _now)
_of_the_account = _keys.c.bench_code.in_(cooldown.ACCOUNT_CODES)
_is_not_busy = or_(_keys.c.bench_code.is_(None), _keys.c.bench_code != "upstream_busy")
END_BENCH = _scoped(update(_keys).where(_is_over).values(_NO_BENCH), among=_of_the_account)
FORGIVE = _scoped(
    update(_keys).where(_keys.c.last_error_at.is_not(None), _is_over).values(_NO_ERROR | _NO_BENCH),
    among=_keys.c.last_error_code.in_(cooldown.ACCOUNT_CODES),
)
ACCEPT = _scoped(
    update(_keys).where(_keys.c.last_error_at.is_not(None), _is_over, _is_not_busy).values(_NO_ERROR | _NO_BENCH),
    among=_keys.c.last_error_code.in_(cooldown.ACCOUNT_CODES),
)
CLEAR = _scoped(update(_keys).values(_NO_ERROR | _NO_BENCH), among=_of_the_account)
END_EMPTY = _scoped(
    update(_keys).where(_keys.c.bench_code == "upstream_no_balance", _is_over).values(_NO_ERROR | _NO_BENCH)
)
NOTE_USED = Prepared(
    update(_keys).where(_itself, _earlier(_keys.c.last_used_at, "long_ago")).values(last_used_at=bindparam("moment"))
)
