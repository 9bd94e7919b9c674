"""The roll-up is what the ledger says: verified slice by slice, mended without touching the ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from flask_app.database import in_writing, reading, transaction
from flask_app.models import Attempt, TokenUsage, UsageHourly, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Bounds, Dispatched, Outcome
from flask_app.services.ledger import metering_service, usage_check_service
from flask_app.services.ledger.rollup import DETAIL, FIGURES, RETIRED, SITE_DAY, SLICES, UNUSED
from tests.support import calls, ledger
from tests.support.together import at_once

ROW = ("block", *UNUSED, *FIGURES)
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)


def verify() -> list[tuple[str, str]]:
    return [(finding.what, finding.where) for finding in usage_check_service.verify()]


def rows(name: str) -> list[dict[str, Any]]:
    with reading() as session:
        found = session.scalars(select(UsageHourly).where(UsageHourly.slice == name))
        return [{name: getattr(row, name) for name in ROW} for row in found]


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "user_id": st.sampled_from(["amina", "bo"]),
            "minutes_ago": st.integers(0, 60 * 24 * 33),
            "model": st.sampled_from(["gpt", "GPT", "gpt-4", "模型"]),
            "key_id": st.sampled_from([None, "key"]),
            "channel": st.sampled_from(["chat", "api"]),
            "source": st.sampled_from(["reported", "estimated"]),
            "tokens": st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
            "price": st.sampled_from([(None, None), (0, "CNY"), (10**15 + 7, "CNY"), (987, "USD")]),
            "peak": st.sampled_from([None, False, True]),
            "first_token_ms": st.sampled_from([None, 0, 431]),
        }
    ),
    max_size=20,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=ENTRIES)
def test_every_slice_adds_up_to_the_ledger(app: Flask, drawn: list[dict[str, Any]]) -> None:
    with transaction() as session:
        for table in (TokenUsage, UsageHourly, Attempt):
            session.execute(delete(table))
    entries = ledger.write(_entry(dict(fields)) for fields in drawn)
    assert verify() == []
    assert usage_check_service.rebuild(Actor(None)) == 0
    for each in SLICES:
        found = rows(each.name)
        assert sum(row["requests"] for row in found) == len(entries)
        assert sum(row["cost_micros"] for row in found) == sum(entry.cost_micros or 0 for entry in entries)
        keys = {tuple(each.row(entry.quarter, _dimensions(entry)).values())[1:] for entry in entries}
        assert {tuple(row[name] for name in ("block", *UNUSED)) for row in found} == keys


def _entry(fields: dict[str, Any]) -> TokenUsage:
    fields["cost_micros"], fields["currency"] = fields.pop("price")
    prompt, completion = fields.pop("tokens")
    counts = {"prompt_tokens": prompt, "cached_tokens": prompt // 3, "completion_tokens": completion}
    moment = NOON - timedelta(minutes=fields.pop("minutes_ago"))
    return ledger.entry(fields.pop("user_id"), moment, reasoning_tokens=completion // 2, **counts, **fields)


def _dimensions(entry: TokenUsage) -> dict[str, Any]:
    peak = -1 if entry.peak is None else int(entry.peak)
    kept = {name: getattr(entry, name) or "" for name in ("user_id", "model", "key_id", "channel", "currency")}
    return kept | {"peak": peak}


@pytest.mark.each_case
@pytest.mark.parametrize("each", SLICES, ids=lambda each: each.name)
@pytest.mark.parametrize("harm", ["lost", "doubled", "one micro-unit", "invented"])
def test_a_row_that_is_wrong_is_found_and_mended(app: Flask, each: Any, harm: str) -> None:
    ledger.write(ledger.entry(user, NOON - timedelta(days=days)) for user in ("amina", "bo") for days in (0, 40))
    before = rows(each.name)
    with transaction() as session:
        row = session.scalars(select(UsageHourly).where(UsageHourly.slice == each.name)).first()
        assert row
        if harm == "lost":
            session.delete(row)
        elif harm == "doubled":
            for name in FIGURES:
                setattr(row, name, 2 * getattr(row, name))
        elif harm == "one micro-unit":
            row.cost_micros += 1
        else:
            key = {name: getattr(row, name) for name in UNUSED}
            figures = dict.fromkeys(FIGURES, 5)
            session.add(UsageHourly(slice=each.name, block=row.block - 3, **key, **figures))
    assert [what for what, _ in verify()].count(f"roll-up {each.name}") == 1
    assert usage_check_service.rebuild(Actor(None)) >= 1
    assert rows(each.name) == before
    assert verify() == []


@pytest.mark.unsound_ledger("spoils the roll-up")
def test_a_difference_says_which_row_and_by_how_much(app: Flask) -> None:
    (entry,) = ledger.write([ledger.entry("amina", NOON)])
    with transaction() as session:
        detail = UsageHourly.slice == DETAIL.name
        session.execute(update(UsageHourly).where(detail).values(cost_micros=UsageHourly.cost_micros - 1, requests=3))
    what, where = verify()[0]
    assert what == "roll-up detail"
    assert where == (
        f"block={entry.quarter} user_id=amina model=deepseek-flash channel=chat currency=CNY peak=0:"
        " requests +2, cost_micros -1"
    )


def test_rebuild_makes_all_of_it_anew_and_leaves_the_ledger_alone(app: Flask) -> None:
    ledger.write(ledger.entry(user, NOON - timedelta(hours=n)) for user in ("amina", "bo") for n in range(50))
    before = {each.name: rows(each.name) for each in SLICES}
    with transaction() as session:
        session.execute(delete(UsageHourly))
    assert usage_check_service.rebuild(Actor(None)) == 3 + 1, "three days, and the 32 days they lie in"
    assert {each.name: rows(each.name) for each in SLICES} == before
    assert verify() == []
    assert usage_check_service.count_entries() == 100


def test_rebuild_removes_what_an_older_version_wrote(app: Flask) -> None:
    (entry,) = ledger.write([ledger.entry("amina", NOON)])
    (retired,) = RETIRED
    with transaction() as session:
        key = retired.row(entry.quarter, _dimensions(entry))
        session.add(UsageHourly(**key, **dict.fromkeys(FIGURES, 1)))
    assert verify() == []
    assert usage_check_service.rebuild(Actor(None)) == 0
    assert rows(retired.name) == []


def test_an_empty_ledger_is_sound(app: Flask) -> None:
    assert verify() == []
    assert usage_check_service.rebuild(Actor(None)) == 0
    assert usage_check_service.count_entries() == 0


@pytest.mark.each_case
@pytest.mark.unsound_ledger("an entry that cannot be")
@pytest.mark.parametrize(
    "fields",
    [
        {"cached_tokens": 101},
        {"cached_tokens": -1},
        {"reasoning_tokens": 51},
        {"reasoning_tokens": -1},
        {"cost_micros": -1},
        {"currency": None},
    ],
)
def test_an_entry_that_cannot_be_is_found(app: Flask, fields: dict[str, Any]) -> None:
    ledger.write([ledger.entry("amina", NOON)])
    assert verify() == []
    (wrong,) = ledger.write([ledger.entry("amina", NOON, **fields)])
    ((what, where),) = verify()
    assert what.startswith("entry whose parts")
    assert where == wrong.id


@pytest.mark.unsound_ledger("entries without their attempts")
def test_an_attempt_and_its_entry_belong_together(app: Flask) -> None:
    lost, released, unknown = (_dispatched("amina") for _ in range(3))
    assert all(_settle(each) for each in (lost, released, unknown))
    assert verify() == []
    with transaction() as session:
        (gone,) = session.scalars(select(TokenUsage).where(TokenUsage.attempt_id == lost.attempt_id))
        session.delete(gone)
        session.execute(update(Attempt).where(Attempt.id == released.attempt_id).values(state="released"))
        session.execute(delete(Attempt).where(Attempt.id == unknown.attempt_id))
        kept = select(TokenUsage.id).where(TokenUsage.attempt_id.in_([released.attempt_id, unknown.attempt_id]))
        without = sorted(session.scalars(kept))
    usage_check_service.rebuild(Actor(None))
    unsettled = [("entry whose attempt is not settled, or not there", entry) for entry in without]
    assert sorted(verify()) == [*unsettled, ("settled attempt without an entry", lost.attempt_id)]


def test_settlements_and_repairs_at_the_same_time_lose_nothing(app: Flask) -> None:
    """Threads settle into the same rows, while others break and mend them."""
    threads, each = 8, 12
    sent = [[_dispatched(f"person {number % 3}") for _ in range(each)] for number in range(threads)]
    broken = UsageHourly.slice.in_([DETAIL.name, SITE_DAY.name])

    def act(number: int) -> int:
        if number < threads:
            return sum(_settle(one) for one in sent[number])
        mended = 0
        for _ in range(3):
            in_writing(lambda connection: connection.execute(delete(UsageHourly).where(broken)))
            mended += usage_check_service.rebuild(Actor(None))
        return mended

    outcomes = at_once(threads + 2, act)
    assert outcomes[:threads] == [each] * threads
    assert outcomes[threads:] != [0, 0], "something must have been mended"
    usage_check_service.rebuild(Actor(None))
    assert verify() == []
    assert usage_check_service.count_entries() == threads * each


def test_money_of_two_moments_goes_into_the_rows_of_its_own(member: User) -> None:
    sent = _dispatched(member.id)
    assert _settle(sent)
    (row,) = rows(DETAIL.name)
    with reading() as session:
        entry = session.scalars(select(TokenUsage)).one()
    assert row["block"] == entry.quarter
    assert row["cost_micros"] == entry.cost_micros
    assert row["estimated_requests"] == 1


def _dispatched(user_id: str) -> Dispatched:
    call = calls.call_of(user_id)
    return in_writing(
        lambda connection: metering_service.dispatch(connection, call, "key", Bounds(prompt=9, answer=99))
    )


def _settle(sent: Dispatched) -> bool:
    outcome = Outcome(text_parts=["some text"])
    return in_writing(lambda connection: metering_service.settle(connection, sent, outcome)) is not None
