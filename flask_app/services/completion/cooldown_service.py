"""Which key may be asked now, and what came of asking. The database decides, and its clock, so all processes agree.

A key is ready, benched until a moment, or after it half-open: then exactly one request probes it. What it meets ends
the bench or doubles it. Where nothing else can answer, some benched keys are probed before their time (see
`domain.cooldown`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.database import in_writing
from flask_app.domain import cooldown
from flask_app.errors import Unavailable, UpstreamError
from flask_app.services.completion import bench_statements as rows
from flask_app.services.ledger.shared_clock import shared
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import Candidate, UsableKey
from flask_app.statements import Act, Question

USED_EVERY = timedelta(minutes=1)  # "last used" is no finer than this, to spare a write an answer
FULL_SECONDS = 5  # when to come back to keys that are all at their cap
PROBE_MARGIN = 20  # seconds


@dataclass(frozen=True, slots=True)
class Taken:
    """The key that a request goes to. `claimed` is the end of its right to probe, None for a key that is ready."""

    candidate: Candidate
    claimed: datetime | None = None
    has_record: bool = False  # an error is noted that an answer would end
    used_at: datetime | None = None  # what is noted as its last use

    @property
    def key(self) -> UsableKey:
        return self.candidate.key


def take(connection: Connection, candidates: Sequence[Candidate], *, early: bool = True) -> Taken:
    """The first of `candidates` that may be asked now; in the transaction that writes the attempt.

    Where there is none, and unless it is not to be `early`, one that is benched and may be probed before its time.
    Raises Unavailable, which says when to come back, if there is nobody.
    """
    now, held = shared(), list[tuple[Candidate, _Standing]]()
    for candidate in candidates:
        standing = _standing(connection, candidate.key, now)
        if standing.state == "ready":
            return Taken(candidate, has_record=standing.has_record, used_at=standing.used_at)
        if standing.state == "half-open" and (taken := _claim(connection, candidate, standing, now)):
            return taken
        held.append((candidate, standing))
    for candidate, standing in held:
        if early and standing.state == "benched" and (taken := _claim(connection, candidate, standing, now)):
            return taken
    raise _unavailable([standing for _, standing in held])


def questions(candidates: Sequence[Candidate]) -> list[Question]:
    """What `take` asks first, for `statements.look_ahead`."""
    key = candidates[0].key
    return [] if key.id is None else [(rows.STANDING, {"key": key.id})]


def take_spare(connection: Connection, candidates: Sequence[Candidate]) -> Taken:
    """The same for what nobody waits for: the first that is ready, and at its cap not even with an answer beside this.

    None is probed: that is for those who wait for an answer.
    """
    now, held = shared(), list[_Standing]()
    for candidate in candidates:
        standing = _standing(connection, candidate.key, now, spare=1)
        if standing.state == "ready":
            return Taken(candidate, has_record=standing.has_record, used_at=standing.used_at)
        held.append(standing)
    raise _unavailable(held)


def note_failure(
    connection: Connection, taken: Taken, error: UpstreamError, asked: datetime, *, spares: bool = False
) -> None:
    """A request sent at `asked` failed before its answer began: the key, or its account, is benched for it.

    An error that is not `retryable` is the request's own: it blames no key. One that `spares` keys benches only those
    that nobody can use.
    """
    passes = spares and error.code not in cooldown.FOR_THE_ADMINISTRATOR
    if passes or not _bench(connection, taken.key, error, asked, probing=taken.claimed is not None):
        free(connection, taken)


def note_refused(key: UsableKey, error: UpstreamError, asked: datetime) -> None:
    """The same for a question of our own: whatever went wrong is noted on the key."""

    def work(connection: Connection) -> None:
        if not _bench(connection, key, error, asked, probing=False):
            connection.execute(rows.NOTE, {"key": key.id} | _noted(error, shared()))

    in_writing(work)


def note_opened(taken: Taken, asked: datetime) -> None:
    """The probe was let in: the bench is over for everybody. The strikes stay until an answer has begun."""
    asked, now = shared(asked), shared()
    in_writing(lambda connection: rows.run(connection, rows.END_BENCH, taken.key, asked=asked, now=now))


def note_used(connection: Connection, taken: Taken, asked: datetime, broken: UpstreamError | None = None) -> list[Act]:
    """The key answered: whatever was noted before `asked` is over. `broken` is what ended the answer in its middle.

    Nobody is benched for that: the key was let in. Gives what notes when it was used, to be written with the entry.
    """
    if taken.key.id is None:
        return []
    if taken.has_record:
        rows.run(connection, rows.FORGIVE, taken.key, asked=shared(asked), now=shared())
    if broken:
        connection.execute(rows.NOTE_BROKEN, {"key": taken.key.id} | _noted(broken, shared()))
    long_ago = asked - USED_EVERY
    if taken.used_at is None or taken.used_at < long_ago:
        return [Act(rows.NOTE_USED, [{"key": taken.key.id, "moment": asked, "long_ago": long_ago}])]
    return []


def note_accepted(key: UsableKey, asked: datetime) -> None:
    """The provider accepted the key when an administrator had it tested: bench and strikes are over.

    Not where it is busy: that is about answers, and until when it has said itself.
    """
    asked, now = shared(asked), shared()
    in_writing(lambda connection: rows.run(connection, rows.ACCEPT, key, asked=asked, now=now))


def clear(connection: Connection, key: UsableKey) -> None:
    """Forget the key's bench and whatever was noted, with those that share it."""
    rows.run(connection, rows.CLEAR, key)


def end_empty(connection: Connection, key: UsableKey, asked: datetime) -> None:
    """The account had a balance when the provider was `asked`: keys benched before for having none are asked again."""
    rows.run(connection, rows.END_EMPTY, key, asked=shared(asked), now=shared())


def free(connection: Connection, taken: Taken) -> None:
    """Give back the right to probe, where it brought no verdict: the next request has it."""
    if taken.claimed:
        rows.run(connection, rows.FREE, taken.key, claimed=taken.claimed)


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a key stands now: ready, half-open, benched, full or gone. `wait` is in seconds, until it may be asked."""

    state: str
    code: str | None = None
    until: datetime | None = None
    wait: float = 0.0
    has_record: bool = False
    used_at: datetime | None = None


def _standing(connection: Connection, key: UsableKey, now: datetime, *, spare: int = 0) -> _Standing:
    """`spare`: how many places are left to others."""
    if key.id is None:
        return _Standing("ready")
    row = rows.STANDING.row(connection, {"key": key.id})
    if row is None:
        return _Standing("gone")
    if key.max_concurrent and _is_full(connection, key, spare):
        return _Standing("full", wait=FULL_SECONDS)
    has_record = row.last_error_at is not None
    if row.benched_until is None:
        return _Standing("ready", has_record=has_record, used_at=row.last_used_at)
    state = "half-open" if row.benched_until <= now else "benched"
    wait = _wait(row.benched_until, row.probe_until, row.bench_code, now)
    return _Standing(state, row.bench_code, row.benched_until, wait, has_record)


def _is_full(connection: Connection, key: UsableKey, spare: int) -> bool:
    """Counted again once the key is locked, where there seemed to be room: one request after the other."""

    def counted() -> bool:
        live = connection.scalar(rows.COUNT_LIVE, {"key": key.id}) or 0
        return live + spare >= (key.max_concurrent or 0)

    if counted():
        return True
    connection.execute(rows.LOCK, {"key": key.id})
    return counted()


def _wait(until: datetime, probe_until: datetime | None, code: str, now: datetime) -> float:
    """Seconds until the key may be asked. A probe under way is expected to end soon, not to use all of its time."""
    rule = cooldown.rule_of(code)
    if probe_until is None or probe_until <= now:
        return max((until - now).total_seconds(), 0) if rule.pause is None else 0
    left = (probe_until - now).total_seconds()
    return left if probe_until == until else min(left, rule.pause or FULL_SECONDS)


def _claim(connection: Connection, candidate: Candidate, standing: _Standing, now: datetime) -> Taken | None:
    """The right to probe the key, for one request over all processes."""
    if standing.wait > 0:
        return None
    until = now + _probe_time()
    terms = {"seen": standing.until, "now": now, "until": until}
    claimed = rows.run(connection, rows.CLAIM, candidate.key, standing.code, **terms)
    return Taken(candidate, until, has_record=True) if claimed.rowcount else None


def _probe_time() -> timedelta:
    """How long a probe may take until the provider lets it in. One whose process died blocks the key no longer."""
    settings = config.current()
    seconds = settings.upstream_connect_seconds + settings.upstream_idle_seconds + PROBE_MARGIN
    return timedelta(seconds=min(seconds, settings.upstream_first_token_seconds + PROBE_MARGIN))


def _bench(connection: Connection, key: UsableKey, error: UpstreamError, asked: datetime, *, probing: bool) -> bool:
    """Bench the key for the error; False where the error is not the key's, or it is benched for longer already.

    Requests that were under way together and met the same failure are one strike.
    """
    rule = cooldown.RULES.get(error.code) if error.retryable and key.id else None
    before = _history(connection, key, error.code) if rule else None
    if rule is None or before is None:
        return False
    now, asked = shared(), shared(asked)
    is_known = before.benched_until is not None and before.last_error_at is not None and before.last_error_at > asked
    strikes = max(before.strikes + (not is_known), 1)
    bench = cooldown.bench(rule, strikes=strikes, retry_after=error.retry_after, draw=key_service.draw)
    until = now + timedelta(seconds=bench.seconds)
    if is_known and before.benched_until > until:
        connection.execute(rows.NOTE, {"key": key.id} | _noted(error, now))
        return False
    pause = now + timedelta(seconds=rule.pause or 0) if probing else None
    terms = {"until": until, "no_probe_before": until if bench.firm else pause, "new_strikes": strikes}
    rows.run(connection, rows.BENCH, key, error.code, **_noted(error, now), **terms)
    return True


def _history(connection: Connection, key: UsableKey, code: str) -> Any:
    found = rows.run(connection, rows.HISTORY, key, code).all()
    return next((row for row in found if row.id == key.id), None)


def _noted(error: UpstreamError, now: datetime) -> dict[str, object]:
    return {"code": error.code, "detail": error.detail, "now": now}


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
