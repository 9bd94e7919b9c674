"""The ledger's writing side: an attempt is dispatched before its socket opens and ends exactly once.

Statements are made once: this is the token path's whole database work.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.engine import Connection

from flask_app.column_types import ByServer
from flask_app.database import new_id, table_of, utc_now
from flask_app.domain.events import Usage
from flask_app.domain.periods import quarter_of
from flask_app.models import Attempt, Run, TokenUsage
from flask_app.services.budgets import budget_service
from flask_app.services.budgets.budget_service import Asked
from flask_app.services.completion.attempts import Bounds, Call, Dispatched, Entry, Outcome
from flask_app.services.ledger import rollup, shared_clock, spending
from flask_app.services.runs import followers
from flask_app.services.tariffs import tariff_service
from flask_app.services.tariffs.tariff_service import Priced
from flask_app.statements import Act, Prepared, once, run_together

FOLLOWED_SECONDS = 3 * followers.RENEW_SECONDS  # who follows elsewhere has said so within them

log = structlog.get_logger()

_attempts, _ledger, _runs = table_of(Attempt), table_of(TokenUsage), table_of(Run)
_INSERT_ATTEMPT = Prepared(insert(_attempts))
_INSERT_ENTRY = Prepared(insert(_ledger))
_BOOKED = select(
    *(_ledger.c[f"{kind}_tokens"] for kind in ("prompt", "cached", "completion", "reasoning")), _ledger.c.source
).where(_ledger.c.attempt_id == bindparam("attempt"), _ledger.c.kind == "usage")
_STATE = select(_attempts.c.state).where(_attempts.c.id == bindparam("attempt")).with_for_update(read=True)
_END_ATTEMPT = Prepared(
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt_id"), _attempts.c.state == "dispatched")
    .values(
        state=bindparam("new_state"),
        status_code=bindparam("new_status"),
        error_code=bindparam("new_error"),
        bytes_received=bindparam("new_bytes"),
        ended_at=bindparam("now"),
    )
)
_LATELY = ByServer(-FOLLOWED_SECONDS)
_FOLLOWED_ELSEWHERE = exists().where(_runs.c.id == _attempts.c.run_id, _runs.c.followed_at > _LATELY)
_MARK_UNREAD = Prepared(
    update(_attempts).where(_attempts.c.id == bindparam("attempt"), ~_FOLLOWED_ELSEWHERE).values(unread=True)
)


def dispatch(
    connection: Connection,
    call: Call,
    key_id: str | None,
    bounds: Bounds,
    *,
    at: datetime | None = None,
    before: Sequence[Act] = (),
) -> Dispatched:
    """Write that `call` goes to the provider with this key, now if not `at` another moment; and `before` it other acts.

    Only after the commit may the socket open. Raises BudgetExhausted; the person's row must be locked
    (`budget_service.take_turn`).
    """
    at = at or utc_now()
    asked = Asked(
        user_id=call.user_id,
        token_id=call.token_id,
        model=call.model,
        currency=call.currency,
        prompt=bounds.prompt,
        answer=bounds.answer,
    )
    reserved = budget_service.reserve(connection, asked, at)
    hold = reserved.hold
    sent = Dispatched(
        attempt_id=new_id(),
        call=call,
        key_id=key_id,
        at=at,
        hold=hold,
        priced=reserved.priced,
        allowance=reserved.allowance,
    )
    row = {
        "id": sent.attempt_id,
        "request_id": call.request_id,
        "user_id": call.user_id,
        "run_id": call.run_id,
        "message_id": call.message_id,
        "token_id": call.token_id,
        "provider_id": call.provider_id,
        "key_id": key_id,
        "channel": call.channel,
        "model": call.model,
        "effort": call.effort,
        "prompt_estimate": call.prompt_estimate,
        "address": call.address,
        "state": "dispatched",
        "bytes_received": 0,
        "unread": False,
        "group_id": hold.group_id,
        "day": hold.day,
        "max_tokens": hold.answer_tokens,
        "reserved_tokens": hold.tokens,
        "reserved_micros": hold.micros,
        "currency": hold.currency,
        "created_at": sent.at,
    }
    run_together(connection, *before, Act(_INSERT_ATTEMPT, [row]))
    return sent


def is_dispatched(connection: Connection, sent: Dispatched) -> bool:
    """Is the attempt there, and not ended by a reaper? A COMMIT of it that is on its way is waited for."""
    return connection.scalar(_STATE, {"attempt": sent.attempt_id}) == "dispatched"


def is_released(connection: Connection, sent: Dispatched) -> bool:
    """Has the attempt ended without an entry?"""
    return connection.scalar(_STATE, {"attempt": sent.attempt_id}) == "released"


def release(connection: Connection, sent: Dispatched, *, error_code: str, status_code: int | None) -> None:
    """End an attempt that the provider refused before it made anything: it costs nothing."""
    run_together(connection, _ending(sent, "released", Outcome(error_code=error_code, status_code=status_code)))


def settle(
    connection: Connection,
    sent: Dispatched,
    outcome: Outcome,
    *,
    before: Sequence[Act] = (),
    is_last: bool = False,
    hopes: bool = False,
) -> Entry | None:
    """Write the attempt's one ledger entry, and other acts `before` it; None when it ended before, or was not taken up.

    `is_last`: nothing else is written after it in the transaction. Who `hopes` that nobody has ended it spares a server
    a round trip, and meets Missed otherwise: the transaction must end then, and be tried again without hope.
    """
    if not outcome.taken_up:
        run_together(connection, *before, _ending(sent, "released", outcome))
        return None
    entry = count(sent, outcome)
    row = _row(sent, outcome, entry, _priced(connection, sent, outcome))
    marks = [Act(_MARK_UNREAD, [{"attempt": sent.attempt_id}])] if outcome.unread else []
    if hopes:
        first = [*before, _ending(sent, "settled", outcome, once), *marks]
    elif _ends(connection, before, sent, outcome):
        first = marks
    else:
        return None
    book(connection, row, before=first, is_last=is_last)
    _compare(sent, row)
    return entry


def book(connection: Connection, row: dict[str, Any], *, before: Sequence[Act] = (), is_last: bool = False) -> None:
    """Write an entry of the ledger, and all that is counted from it, behind what comes `before` it.

    Raises IntegrityError where it stands already.

    Everybody's entries are counted in the site's own rows, which whoever counts holds until the COMMIT: the less there
    is between the two, the more entries a second. Best where it `is_last`, as in `settle`.
    """
    added = (*spending.additions(row), rollup.addition(row))
    run_together(connection, *before, Act(_INSERT_ENTRY, [row]), *added, is_last=is_last)


def count(sent: Dispatched, outcome: Outcome) -> Entry:
    """The provider's count, else an estimate that says so: of an answer no longer than was asked for."""
    if outcome.counted:
        return Entry(outcome.counted, "reported", is_new=True)
    completion, reasoning = outcome.estimate, outcome.thoughts
    if (most := sent.hold.answer_tokens) is not None:
        completion, reasoning = min(completion, most), min(reasoning, most)
    prompt = outcome.usage or Usage(0, 0, 0, 0)
    tokens, cached = (prompt.prompt_tokens or sent.call.prompt_estimate), prompt.cached_tokens
    return Entry(Usage(tokens, cached, completion, reasoning), "estimated", is_new=True)


def booked(connection: Connection, attempt_id: str) -> Entry | None:
    """What the ledger has for an attempt, whoever wrote it."""
    row = connection.execute(_BOOKED, {"attempt": attempt_id}).one_or_none()
    return None if row is None else Entry(Usage(*row[:-1]), row.source)


def _ends(connection: Connection, before: Sequence[Act], sent: Dispatched, outcome: Outcome) -> bool:
    """Settle the attempt, unless somebody has ended it."""
    ended: list[int] = []
    run_together(connection, *before, _ending(sent, "settled", outcome, ended.append))
    return ended == [1]


def _ending(sent: Dispatched, state: str, outcome: Outcome, check: Callable[[int], object] | None = None) -> Act:
    """What ends an attempt that nobody has ended."""
    ended = {
        "attempt_id": sent.attempt_id,
        "new_state": state,
        "new_status": outcome.status_code,
        "new_error": outcome.error_code,
        "new_bytes": outcome.bytes_received,
        "now": utc_now(),
    }
    return Act(_END_ATTEMPT, [ended], check)


def _compare(sent: Dispatched, row: dict[str, Any]) -> None:
    """A provider that counts more than it was asked for broke its word; what it bills is booked all the same."""
    hold = sent.hold
    tokens, cost = row["prompt_tokens"] + row["completion_tokens"], row["cost_micros"]
    held = hold.micros if hold.currency == row["currency"] else None
    dearer = cost is not None and cost > (held or 0)
    if hold.tokens is not None and (tokens > hold.tokens or dearer):
        counts = {"tokens": tokens, "reserved_tokens": hold.tokens, "micros": cost, "reserved_micros": hold.micros}
        log.error("reservation_exceeded", attempt=sent.attempt_id, **counts)


def _priced(connection: Connection, sent: Dispatched, outcome: Outcome) -> Priced | None:
    """The price of the model that answered, else of the one that was asked for."""
    if sent.priced and outcome.actual_model in (None, sent.call.model):
        return sent.priced
    names = dict.fromkeys((outcome.actual_model or sent.call.model, sent.call.model))
    found = (tariff_service.price(name, sent.call.currency, sent.at, connection) for name in names)
    return next((priced for priced in found if priced), None)


def _row(sent: Dispatched, outcome: Outcome, entry: Entry, priced: Priced | None) -> dict[str, Any]:
    call, usage = sent.call, entry.usage
    return {
        "id": new_id(shared_clock.shared()),  # of when it was written, for `balance_check`
        "attempt_id": sent.attempt_id,
        "kind": "usage",
        "user_id": call.user_id,
        "token_id": call.token_id,
        "message_id": call.message_id,
        "provider_id": call.provider_id,
        "key_id": sent.key_id,
        "channel": call.channel,
        "model": call.model,
        "actual_model": outcome.actual_model,
        "source": entry.source,
        "outcome": outcome.status,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_micros": priced.cost(usage) if priced else None,
        "cache_saved_micros": priced.cache_saved(usage) if priced else 0,
        "peak_extra_micros": priced.peak_extra(usage) if priced else 0,
        "currency": call.currency if priced else None,
        "peak": priced.peak if priced else None,
        "tariff_id": priced.tariff_id if priced else None,
        "first_token_ms": outcome.first_token_ms,
        "duration_ms": outcome.duration_ms,
        "quarter": quarter_of(sent.at),
        "group_id": sent.hold.group_id,
        "day": sent.hold.day or budget_service.site_day(sent.at),
        "reason": None,
        "created_at": sent.at,
    }
