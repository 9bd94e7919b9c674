"""Which key may be asked now, and what came of asking. The database decides, so all processes agree.

A key is ready, benched until a moment, or after it half-open: then exactly one request probes it. What it meets ends
the bench or doubles it. Where nothing else can answer, some benched keys are probed before their time (see
`domain.cooldown`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.engine import Connection

from flask_app.database import UtcDateTime, in_writing, table_of, utc_now
from flask_app.domain import cooldown
from flask_app.errors import Unavailable, UpstreamError
from flask_app.models import ApiKey, Attempt
from flask_app.services import key_service
from flask_app.services.key_service import Candidate, UsableKey

USED_EVERY = timedelta(minutes=1)  # "last used" is no finer than this, to spare a write an answer
FULL_SECONDS = 5  # when to come back to keys that are all at their cap
PROBE = timedelta(seconds=cooldown.PROBE_SECONDS)

_keys, _attempts = table_of(ApiKey), table_of(Attempt)
_STANDING = select(
    key_service.usable().label("usable"),
    _keys.c.benched_until,
    _keys.c.bench_code,
    _keys.c.probe_until,
    _keys.c.last_error_at,
).where(_keys.c.id == bindparam("key"))
_LOCKED = _STANDING.with_for_update()  # requests that count a key's live answers do so one after the other
_COUNT_LIVE = select(func.count()).where(_attempts.c.state == "dispatched", _attempts.c.key_id == bindparam("key"))
_HISTORY = (
    select(_keys.c.benched_until, _keys.c.last_error_at, _keys.c.strikes)
    .where(_keys.c.id == bindparam("key"))
    .with_for_update()
)
_now, _no_probe_before = (bindparam(name, type_=UtcDateTime()) for name in ("now", "no_probe_before"))
_itself = _keys.c.id == bindparam("key")
# An `account` of None is nobody's: NULL equals nothing.
_of_account = and_(_keys.c.provider_id == bindparam("provider"), _keys.c.account == bindparam("shared"))
_CLAIM = (
    update(_keys)
    .where(
        or_(_itself, _of_account),
        _keys.c.benched_until == bindparam("seen"),
        or_(_keys.c.probe_until.is_(None), _keys.c.probe_until <= _now),
    )
    .values(probe_until=bindparam("until"))
)
_FREE = (
    update(_keys).where(or_(_itself, _of_account), _keys.c.probe_until == bindparam("claimed")).values(probe_until=None)
)
_BENCH = (
    update(_keys)
    .where(
        or_(
            _itself,
            and_(_of_account, or_(_keys.c.benched_until.is_(None), _keys.c.benched_until < bindparam("until"))),
        )
    )
    .values(
        benched_until=bindparam("until"),
        benched_since=func.coalesce(_keys.c.benched_since, _now),
        bench_code=bindparam("code"),
        probe_until=func.coalesce(_no_probe_before, _keys.c.probe_until),
        strikes=bindparam("new_strikes"),
        last_error_code=bindparam("code"),
        last_error_at=_now,
        last_error_detail=bindparam("detail"),
    )
)
_NOTE = (
    update(_keys)
    .where(_itself)
    .values(last_error_code=bindparam("code"), last_error_at=_now, last_error_detail=bindparam("detail"))
)
_shares_bench = or_(_itself, and_(_of_account, _keys.c.bench_code.in_(cooldown.ACCOUNT_CODES)))
SHARED = ("benched_until", "benched_since", "bench_code", "probe_until", "strikes", "last_error_code", "last_error_at")
_NO_BENCH = dict.fromkeys(("benched_until", "benched_since", "bench_code", "probe_until"))
_NO_ERROR = {"strikes": 0} | dict.fromkeys(("last_error_code", "last_error_at", "last_error_detail"))
_END_BENCH = (
    update(_keys)
    .where(_shares_bench, or_(_keys.c.last_error_at.is_(None), _keys.c.last_error_at < bindparam("asked")))
    .values(_NO_BENCH)
)
_FORGIVE = (
    update(_keys)
    .where(
        or_(_itself, and_(_of_account, _keys.c.last_error_code.in_(cooldown.ACCOUNT_CODES))),
        _keys.c.last_error_at < bindparam("asked"),
    )
    .values(_NO_ERROR | _NO_BENCH)
)
_CLEAR = update(_keys).where(_shares_bench).values(_NO_ERROR | _NO_BENCH)
_END_EMPTY = (
    update(_keys)
    .where(or_(_itself, _of_account), _keys.c.bench_code == "upstream_no_balance")
    .values(_NO_ERROR | _NO_BENCH)
)
_NOTE_USED = (
    update(_keys)
    .where(_itself, or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < bindparam("long_ago")))
    .values(last_used_at=bindparam("moment"))
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The key that a request goes to. `claimed` is the end of its right to probe, None for a key that is ready."""

    candidate: Candidate
    claimed: datetime | None = None
    has_record: bool = False  # an error is noted that an answer would end

    @property
    def key(self) -> UsableKey:
        return self.candidate.key


def take(connection: Connection, candidates: Sequence[Candidate]) -> Taken:
    """The first of `candidates` that may be asked now; in the transaction that writes the attempt.

    Raises Unavailable, which says when to come back, if there is none.
    """
    now, held = utc_now(), list[tuple[Candidate, _Standing]]()
    for candidate in candidates:
        standing = _standing(connection, candidate.key, now)
        if standing.state == "ready":
            return Taken(candidate, has_record=standing.has_record)
        if standing.state == "half-open" and (taken := _claim(connection, candidate, standing, now)):
            return taken
        held.append((candidate, standing))
    for candidate, standing in held:
        if standing.state == "benched" and (taken := _claim(connection, candidate, standing, now)):
            return taken
    raise _unavailable([standing for _, standing in held])


def note_failure(connection: Connection, taken: Taken, error: UpstreamError, asked: datetime) -> None:
    """A request sent at `asked` failed before its answer began: the key, or its account, is benched for it.

    An error that is not `retryable` is the request's own: it blames no key.
    """
    if not _bench(connection, taken.key, error, asked, probing=taken.claimed is not None):
        free(connection, taken)


def note_refused(key: UsableKey, error: UpstreamError, asked: datetime) -> None:
    """The same for a question of our own: whatever went wrong is noted on the key."""

    def work(connection: Connection) -> None:
        if not _bench(connection, key, error, asked, probing=False):
            connection.execute(_NOTE, _noted(key, error, utc_now()))

    in_writing(work)


def note_opened(taken: Taken, asked: datetime) -> None:
    """The probe was let in: the bench is over for everybody. The strikes stay until an answer has begun."""
    in_writing(lambda connection: connection.execute(_END_BENCH, _group(taken.key) | {"asked": asked}))


def note_used(connection: Connection, taken: Taken, asked: datetime) -> None:
    """The key answered: whatever was noted before `asked` is over."""
    if taken.key.id is None:
        return
    connection.execute(_NOTE_USED, {"key": taken.key.id, "moment": asked, "long_ago": asked - USED_EVERY})
    if taken.has_record:
        connection.execute(_FORGIVE, _group(taken.key) | {"asked": asked})


def note_accepted(key: UsableKey, asked: datetime) -> None:
    """The provider accepted the key when an administrator had it tested: bench and strikes are over."""
    in_writing(lambda connection: connection.execute(_FORGIVE, _group(key) | {"asked": asked}))


def clear(connection: Connection, key: UsableKey) -> None:
    """Forget the key's bench and whatever was noted, with those that share it."""
    connection.execute(_CLEAR, _group(key))


def end_empty(connection: Connection, key: UsableKey) -> None:
    """The account has a balance again: its keys that are benched for having none are asked again."""
    connection.execute(_END_EMPTY, _group(key))


def free(connection: Connection, taken: Taken) -> None:
    """Give back the right to probe, where it brought no verdict: the next request has it."""
    if taken.claimed:
        connection.execute(_FREE, _group(taken.key) | {"claimed": taken.claimed})


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a key stands now: ready, half-open, benched, full or gone. `wait` is in seconds, until it may be asked."""

    state: str
    code: str | None = None
    until: datetime | None = None
    wait: float = 0.0
    has_record: bool = False


def _standing(connection: Connection, key: UsableKey, now: datetime) -> _Standing:
    if key.id is None:
        return _Standing("ready")
    row = connection.execute(_LOCKED if key.max_concurrent else _STANDING, {"key": key.id}).one_or_none()
    if row is None or not row.usable:
        return _Standing("gone")
    if key.max_concurrent and (connection.scalar(_COUNT_LIVE, {"key": key.id}) or 0) >= key.max_concurrent:
        return _Standing("full", wait=FULL_SECONDS)
    has_record = row.last_error_at is not None
    if row.benched_until is None:
        return _Standing("ready", has_record=has_record)
    state = "half-open" if row.benched_until <= now else "benched"
    wait = _wait(row.benched_until, row.probe_until, row.bench_code, now)
    return _Standing(state, row.bench_code, row.benched_until, wait, has_record)


def _wait(until: datetime, probe_until: datetime | None, code: str, now: datetime) -> float:
    """Seconds until the key may be asked. A probe under way is expected to end soon, not to use all of its time."""
    rule = cooldown.RULES[code]
    if probe_until is None or probe_until <= now:
        return max((until - now).total_seconds(), 0) if rule.pause is None else 0
    left = (probe_until - now).total_seconds()
    return left if probe_until == until else min(left, rule.pause or FULL_SECONDS)


def _claim(connection: Connection, candidate: Candidate, standing: _Standing, now: datetime) -> Taken | None:
    """The right to probe the key, for one request over all processes."""
    if standing.wait > 0:
        return None
    until = now + PROBE
    terms = {"seen": standing.until, "now": now, "until": until}
    claimed = connection.execute(_CLAIM, _group(candidate.key, code=standing.code) | terms)
    return Taken(candidate, until, has_record=True) if claimed.rowcount else None


def _bench(connection: Connection, key: UsableKey, error: UpstreamError, asked: datetime, *, probing: bool) -> bool:
    """Bench the key for the error; False where the error is not the key's.

    Requests that were under way together and met the same failure are one strike.
    """
    rule = cooldown.RULES.get(error.code) if error.retryable and key.id else None
    before = connection.execute(_HISTORY, {"key": key.id}).one_or_none() if rule else None
    if rule is None or before is None:
        return False
    now = utc_now()
    is_known = before.benched_until is not None and before.last_error_at is not None and before.last_error_at > asked
    strikes = max(before.strikes + (not is_known), 1)
    bench = cooldown.bench(rule, strikes=strikes, retry_after=error.retry_after, draw=key_service.draw)
    until = now + timedelta(seconds=bench.seconds)
    if is_known and before.benched_until > until:
        connection.execute(_NOTE, _noted(key, error, now))
        return True
    pause = now + timedelta(seconds=rule.pause or 0) if probing else None
    terms = {"until": until, "no_probe_before": until if bench.firm else pause, "new_strikes": strikes}
    connection.execute(_BENCH, _noted(key, error, now) | _group(key, code=error.code) | terms)
    return True


def _noted(key: UsableKey, error: UpstreamError, now: datetime) -> dict[str, object]:
    return {"key": key.id, "code": error.code, "detail": error.detail, "now": now}


def _group(key: UsableKey, *, code: str | None = None) -> dict[str, object]:
    """The key, and those of its account unless `code` is a matter of this key alone."""
    alone = code is not None and code not in cooldown.ACCOUNT_CODES
    return {"key": key.id, "provider": key.provider_id, "shared": None if alone else key.account}


def _unavailable(standings: list[_Standing]) -> Unavailable:
    """Why nobody can be asked, and when to come back."""
    held = [standing for standing in standings if standing.state != "gone"]
    if not held:
        return Unavailable("no_model")
    seconds = max(math.ceil(min(standing.wait for standing in held)), 1)
    if all(standing.state == "full" for standing in held):
        return Unavailable("upstream_full", retry_after=seconds)
    code = next((s.code for s in held if s.code in cooldown.FOR_THE_ADMINISTRATOR), None)
    if code and all(standing.code in cooldown.FOR_THE_ADMINISTRATOR for standing in held):
        return Unavailable(code, retry_after=seconds)
    return Unavailable("upstream_resting", retry_after=seconds, seconds=seconds)
