"""A price begins after everything that it would have been for, to the microsecond."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Provider, User
from flask_app.services.completion.attempts import Bounds
from flask_app.services.tariffs import priced_already
from flask_app.services.tariffs.priced_already import PIECE, UNDER_WAY, Field
from tests.support import calls, ledger

MODEL = Field("priced", "EUR")
STEP = timedelta(microseconds=1)


@pytest.fixture
def payee(app: Flask) -> str:
    """One that bills in euros, and whose id comes."""
    with transaction() as session:
        made = Provider(id=new_id(), name="In euros", base_url="http://127.0.0.1", currency="EUR")
        session.add(made)
        return made.id


@pytest.fixture
def now() -> datetime:
    return utc_now().replace(microsecond=500_000)


def book(payee: str, user_id: str, moments: Iterable[datetime], **fields: object) -> None:
    ledger.write(ledger.entry(user_id, at, **({"provider_id": payee, "model": "priced"} | fields)) for at in moments)


def is_taken(since: datetime) -> bool:
    seen = priced_already.look_back(MODEL, since)
    with reading() as session:
        return priced_already.is_taken(session, seen)


def next_moment() -> datetime:
    with reading() as session:
        return priced_already.next_moment(session, MODEL)


def test_what_was_booked_at_the_moment_itself_is_in_the_way(payee: str, member: User, now: datetime) -> None:
    book(payee, member.id, [now])
    assert [is_taken(since) for since in (now - STEP, now, now + STEP)] == [True, True, False]


@pytest.mark.each_case
@pytest.mark.parametrize("days", [1, 8, 9, 40])
def test_the_ledger_is_looked_through_to_its_beginning(payee: str, member: User, now: datetime, days: int) -> None:
    """In pieces: one entry of the model lies far back, others' lie at both ends."""
    book(payee, member.id, [now - timedelta(days=days)])
    book(payee, member.id, [now, now - timedelta(days=100)], model="another")
    book("elsewhere", member.id, [now])
    seen = [is_taken(now - timedelta(days=days) + step) for step in (-timedelta(days=200), -STEP, timedelta(), STEP)]
    assert seen == [True, True, True, False]


def test_the_pieces_make_up_the_whole_and_do_not_overlap(payee: str, member: User, now: datetime) -> None:
    first = now - 3 * PIECE + timedelta(hours=1)
    book(payee, member.id, [first, now], model="another")
    for since in (first - PIECE, first + timedelta(hours=2)):
        pieces = list(priced_already._pieces(since))
        assert pieces[0][1] == now + STEP
        assert [begin for begin, _ in pieces[:-1]] == [end for _, end in pieces[1:]]
        assert pieces[-1][0] == max(first, since)
        assert all(end - begin <= PIECE for begin, end in pieces)
    assert list(priced_already._pieces(now + STEP)) == []


def test_what_is_booked_meanwhile_is_seen_by_its_id(payee: str, member: User, now: datetime) -> None:
    seen = priced_already.look_back(MODEL, now)
    assert not seen.is_taken
    book(payee, member.id, [now - STEP])
    book(payee, member.id, [now], id=new_id(utc_now() - 2 * UNDER_WAY))  # older than any that may be under way
    with reading() as session:
        assert not priced_already.is_taken(session, seen)
    book(payee, member.id, [now])
    with reading() as session:
        assert priced_already.is_taken(session, seen)


def test_an_answer_that_another_model_gave_is_in_the_way_too(payee: str, member: User, now: datetime) -> None:
    book(payee, member.id, [now], model="asked for", actual_model="priced")
    assert is_taken(now)


def test_the_next_moment_is_after_all_that_is_ahead_of_the_clock(payee: str, member: User, now: datetime) -> None:
    assert timedelta() <= next_moment() - utc_now() + timedelta(seconds=5) < timedelta(seconds=10)
    ahead = now + timedelta(hours=1)
    book(payee, member.id, [now - timedelta(days=1), ahead])
    book(payee, member.id, [ahead + timedelta(hours=1)], model="another")
    assert next_moment() == ahead + STEP
    live = ahead + timedelta(minutes=5)
    calls.dispatch(calls.call_of(member.id, model="another"), Bounds(prompt=1, answer=1), live)
    assert next_moment() == live + STEP
    assert is_taken(live)
    assert not is_taken(live + STEP)
