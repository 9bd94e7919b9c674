"""The ledger's entries one by one: where their figures are from."""

from datetime import date, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from flask_app.database import engine, fetching, first_id, new_id, utc_now
from flask_app.domain.outcomes import OUTCOMES
from flask_app.errors import NotFound
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import refund_service
from flask_app.services.usage import records_service
from flask_app.services.usage.record_search import Filter
from flask_app.services.usage.stats_service import DateRange, zone_of
from tests.conftest import MakeUser
from tests.support import ledger


@pytest.mark.parametrize(
    ("fields", "provenance"),
    [
        ({}, "reported"),
        ({"outcome": "stopped"}, "reported"),
        ({"source": "estimated"}, "estimated"),
        ({"source": "estimated", "outcome": "interrupted"}, "partial"),
    ],
)
def test_a_record_says_where_its_figures_are_from(member: User, fields: dict[str, Any], provenance: str) -> None:
    (entry,) = ledger.write([ledger.entry(member.id, utc_now(), **fields)])
    record = records_service.get(entry.id)
    assert (record.provenance, record.username, record.reason) == (provenance, "member", None)
    assert (record.entry.id, record.entry.cost_micros, record.attempts) == (entry.id, 1000, 1)
    refund_service.refund(Actor(None), entry.id, "it was wrong")
    refunded = records_service.get(entry.id)
    assert (refunded.provenance, refunded.reason, refunded.entry.cost_micros) == ("refunded", "it was wrong", 1000)


def test_what_people_used_who_left_is_found_by_their_ids(admin: User) -> None:
    """Their names are gone, and pages with sums name their ids."""
    gone, token = new_id(), new_id()
    ledger.write([ledger.entry(gone, utc_now(), channel="api", token_id=token), ledger.entry(admin.id, utc_now())])
    for wanted in (Filter(user=gone), Filter(token=token)):
        (found,) = records_service.search(admin, wanted).records
        assert (found.entry.user_id, found.username) == (gone, None), wanted
        every = [record.entry.id for page in records_service.every(admin, wanted) for record in page]
        assert every == [found.entry.id]
    assert records_service.search(admin, Filter(user=gone, group=admin.group_id)).records == []


def test_a_record_that_is_not_there_is_not_found(member: User) -> None:
    with pytest.raises(NotFound):
        records_service.get("nothing")


def test_pages_of_what_was_refunded_leave_nothing_out(admin: User) -> None:
    """What was given back lately may have been asked long ago: pages are in the order in which it was asked."""
    random, asked = Random(3), [utc_now() - timedelta(days=30, hours=3 * n) for n in range(40)]
    entries = [
        ledger.entry("a", moment, attempt_id=first_id(moment), channel=random.choice(("api", "chat")))
        for moment in asked
    ]
    refunds = []
    for of in random.sample(entries, 25):
        later = of.created_at + timedelta(minutes=random.choice((0, 7, 20_000, 40_000)))
        negative = {name: -getattr(of, name) for name in refund_service.NEGATED}
        rest = {"kind": "refund", "attempt_id": of.attempt_id, "channel": of.channel, "duration_ms": 0}
        refunds.append(ledger.entry("a", later, **negative, **rest, first_token_ms=None))
    ledger.write([*entries, *refunds])
    taken = {refund.attempt_id for refund in refunds}
    every = [each for each in (*entries, *refunds) if each.attempt_id in taken]
    local = {each.id: each.created_at.astimezone(zone_of(admin)).date() for each in every}
    middle = sorted(local.values())[len(local) // 2]
    for channel, first, last in product((None, "api"), (None, middle), (None, middle)):
        fitting = [each for each in every if channel in {None, each.channel}]
        fitting = [each for each in fitting if (first or date.min) <= local[each.id] <= (last or date.max)]
        wanted = Filter(provenance="refunded", channel=channel, dates=DateRange(first, last))
        for limit in (1, 3, 10, 100):
            assert _all_pages(admin, wanted, limit) == ledger.newest_first(fitting)


@pytest.mark.parametrize("people", [0, records_service.FEW + 3])
def test_pages_of_one_models_entries_leave_nothing_out(admin: User, make_user: MakeUser, people: int) -> None:
    """An index has the newest of each outcome: they are put together, for whatever they are asked."""
    random, now = Random(5), utc_now()
    wanted_of = [make_user(f"p{number}").id for number in range(people)]
    entries = [
        ledger.entry(
            random.choice([*wanted_of, admin.id]),
            now - timedelta(minutes=random.randrange(1000)),
            model=random.choice(("rare", "common")),
            outcome=random.choice(OUTCOMES),
            source=random.choice(("reported", "estimated")),
        )
        for _ in range(80)
    ]
    ledger.write(entries)
    given_back = [each.id for each in random.sample(entries, 20)]
    for record_id in given_back:
        refund_service.refund(Actor(None), record_id, "it was wrong")
    found = [each for each in entries if each.model == "rare" and (not people or each.user_id in wanted_of)]
    kept = [each for each in found if each.id not in given_back]
    partial = [each for each in kept if each.source == "estimated" and each.outcome != "complete"]
    assert partial
    for provenance, expected in (("partial", partial), ("reported", [e for e in kept if e.source == "reported"])):
        wanted = Filter(user="p" if people else None, model="rare", provenance=provenance)
        for limit in (1, 3, 100):
            assert _all_pages(admin, wanted, limit) == ledger.newest_first(expected)


def test_entries_of_many_people_and_one_model_are_found_in_its_index_alone(admin: User, make_user: MakeUser) -> None:
    people, now = [make_user(f"p{number}") for number in range(records_service.FEW + 1)], utc_now()
    ledger.write(ledger.entry(each.id, now - timedelta(minutes=n)) for n in range(20) for each in people)
    seen: list[tuple[str, Any]] = []

    def keep(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        if "UNION ALL" in statement:
            seen.append((statement, values))

    event.listen(engine(), "before_cursor_execute", keep)
    records_service.search(admin, Filter(user="p", model="deepseek-flash"))
    event.remove(engine(), "before_cursor_execute", keep)
    ((statement, values),) = seen
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            used = [step for step in plan if "COVERING INDEX ix_token_usage_newest_of_outcome_of_model" in step.detail]
        else:
            hinted = statement.replace(
                "FROM token_usage", "FROM token_usage FORCE INDEX (ix_token_usage_newest_of_outcome_of_model)"
            )
            plan = connection.exec_driver_sql(f"EXPLAIN {hinted}", values).all()
            used = [step for step in plan if step.table == "token_usage" and "Using index" in step.Extra.split("; ")]
    assert len(used) == len(OUTCOMES), plan


def _all_pages(reader: User, wanted: Filter, limit: int) -> list[str]:
    found, before = list[str](), None
    while True:
        page = records_service.search(reader, wanted, before=before, limit=limit)
        found += [record.entry.id for record in page.records]
        if (before := page.next) is None:
            return found
