"""What entries of the ledger are searched for by, as conditions of its queries."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, product

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from flask_app.database import first_id
from flask_app.domain.outcomes import OUTCOMES
from flask_app.domain.periods import ENDLESS, Period, moment_of
from flask_app.errors import BadRequest
from flask_app.models import TokenUsage, User
from flask_app.services.usage import record_lookups
from flask_app.services.usage.stats_service import DateRange, period_of, zone_of

MAX_WORD = 128
_WORDS = ("user", "group", "model", "key", "token", "id")
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)  # there is a day after it
PROVENANCES = ("reported", "estimated", "partial", "refunded")

Conditions = list[ColumnElement[bool]]

Refund = aliased(TokenUsage)
ITS_REFUND = and_(Refund.attempt_id == TokenUsage.attempt_id, Refund.kind == "refund")
# Counted for each entry that fits otherwise. Of a condition MariaDB makes a table of all refunds before it begins.
_REFUNDS = select(func.count()).where(ITS_REFUND).correlate(TokenUsage).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Search:
    """What all of one of `any_of` holds for is found, and what one of `given_back` holds for, whose refunds are among
    the former. It has one of `outcomes`, where an index tells these apart.
    """

    any_of: list[Conditions]
    given_back: list[Conditions]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to search for; None is anything. `user` is an id or part of a name, `group` the id of the one that people
    are in now, `key` and `token` are ids, `id` is a record's, its attempt's or its request's, dates are local.
    """

    user: str | None = None
    group: str | None = None
    model: str | None = None
    key: str | None = None
    outcome: str | None = None
    provenance: str | None = None
    channel: str | None = None
    token: str | None = None
    id: str | None = None
    dates: DateRange = field(default_factory=DateRange)


ANYTHING = Filter()


def conditions(reader: User, wanted: Filter, user_id: str | None = None) -> Search:
    """All but whose they are. Raises BadRequest for an outcome, provenance or channel that is none, and a bad range."""
    _check(wanted)
    period = period_of(wanted.dates, zone_of(reader))
    exact = {"model": wanted.model, "key_id": wanted.key, "outcome": wanted.outcome, "channel": wanted.channel}
    named = {column: value for column, value in exact.items() if value is not None}
    found = [getattr(TokenUsage, column) == value for column, value in named.items()]
    found += _within(period) + _on_its_days(wanted, user_id)
    every = [
        [*found, *chain.from_iterable(each)]
        for each in product(record_lookups.of_token(wanted.token), record_lookups.of_id(wanted.id))
    ]
    is_of_one = set(named) - {"channel"} in ({"model"}, {"key_id"}) and wanted.id is None and wanted.token is None
    return Search(
        any_of=[[*each, *_of_provenance(wanted.provenance)] for each in every],
        given_back=[[*each, *_given_back(named, period)] for each in every if wanted.provenance == "refunded"],
        outcomes=_outcomes(wanted.provenance) if is_of_one else (),
    )


def _check(wanted: Filter) -> None:
    if wanted.outcome is not None and wanted.outcome not in OUTCOMES:
        raise BadRequest("unknown_outcome", known=", ".join(OUTCOMES))
    if wanted.provenance is not None and wanted.provenance not in PROVENANCES:
        raise BadRequest("unknown_provenance", known=", ".join(PROVENANCES))
    if any(len(getattr(wanted, name) or "") > MAX_WORD for name in _WORDS):
        raise BadRequest("search_too_long", limit=MAX_WORD)
    record_lookups.check_channel(wanted.channel)


def _on_its_days(wanted: Filter, user_id: str | None) -> Conditions:
    """The newest of a model or of a key are found at once; not those of them that something else holds for too: that
    they are one person's, for instance.
    """
    named = {"model": wanted.model, "key_id": wanted.key, "channel": wanted.channel}
    others = (user_id, wanted.user, wanted.group, wanted.outcome, wanted.provenance, wanted.token)
    asked = [value for value in (*named.values(), *others) if value is not None]
    if wanted.channel is None and (len(asked) < 2 or not (wanted.model or wanted.key)):
        return []
    estimated = wanted.provenance in {"estimated", "partial"}
    return record_lookups.on_its_days(named, user_id, estimated=estimated)


def _within(period: Period) -> Conditions:
    found: Conditions = []
    if period.start:
        found.append(TokenUsage.created_at >= moment_of(period.start))
    if period.end != ENDLESS:
        found.append(TokenUsage.created_at < moment_of(period.end))
    return found


def _of_provenance(wanted: str | None) -> Conditions:
    if wanted is None:
        return []
    if wanted == "refunded":
        return [TokenUsage.kind == "refund"]
    source = "reported" if wanted == "reported" else "estimated"
    kept = [TokenUsage.source == source, _REFUNDS == 0]
    outcome = {"estimated": [TokenUsage.outcome == "complete"], "partial": [TokenUsage.outcome != "complete"]}
    return [*kept, *outcome.get(wanted, [])]


def _outcomes(provenance: str | None) -> tuple[str, ...]:
    """Of which the newest are found one outcome after the other; none for estimates and refunds, which are few."""
    if provenance == "partial":
        return tuple(outcome for outcome in OUTCOMES if outcome != "complete")
    return OUTCOMES if provenance in {None, "reported"} else ()


def _given_back(named: dict[str, str], period: Period) -> Conditions:
    """What has a refund, of the same person, model, key, outcome and channel: that of others is not looked up, nor what
    was given back before the period, or has an attempt of long after.
    """
    alike = [getattr(Refund, column) == value for column, value in named.items()]
    if period.start:
        alike.append(Refund.created_at >= moment_of(period.start))
    if period.end != ENDLESS:
        alike.append(Refund.attempt_id < first_id(min(moment_of(period.end), _LATEST) + record_lookups.CLOCKS_APART))
    return [TokenUsage.kind == "usage", ITS_REFUND, Refund.user_id == TokenUsage.user_id, *alike]
