"""Editing a price never changes what somebody has reserved at it, whichever instance's clock is ahead of which."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from flask_app.database import engine, reading, utc_now, writing
from flask_app.domain import tariff
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.errors import AppError
from flask_app.models import Attempt, Tariff, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service, turns
from flask_app.services.completion.attempts import Bounds, Dispatched
from flask_app.services.ledger import metering_service
from flask_app.services.tariffs import tariff_admin_service, tariff_service
from flask_app.services.tariffs.tariff_admin_service import Terms
from tests.support import calls, ledger
from tests.support.keys import keep_provider
from tests.support.together import at_once

HOUSE = Actor(None)
BOUNDS = Bounds(prompt=100, answer=300)
CHEAP, DEAR = Prices(1_000_000, 1_000_000, 1_000_000), Prices(9_000_000, 9_000_000, 9_000_000)
AHEAD = timedelta(hours=1)  # of this instance's clock


@pytest.fixture
def provider_id(member: User) -> str:
    return keep_provider("P", "https://p.example.com", currency="CNY")


@pytest.fixture
def planned(provider_id: str) -> Tariff:
    """A price that begins in half an hour, by this instance's clock."""
    return add(starts_at=utc_now() + AHEAD / 2)


def add(prices: Prices = CHEAP, starts_at: datetime | None = None, model: str = "m") -> Tariff:
    return tariff_admin_service.add(HOUSE, model, "CNY", Terms(prices=prices, starts_at=starts_at))


def change(tariff: Tariff) -> None:
    tariff_admin_service.change(HOUSE, tariff.id, Terms(prices=DEAR, starts_at=tariff.starts_at))


def reserve(person: User, provider_id: str, at: datetime | None = None, model: str = "m") -> Dispatched:
    return calls.dispatch(calls.call_of(person.id, model=model, provider_id=provider_id), BOUNDS, at)


def code_of(act: Callable[[], object]) -> str:
    """What stands in the way; nothing where nothing does."""
    try:
        act()
    except AppError as error:
        return error.code
    return ""


def stored(tariff: Tariff) -> Tariff | None:
    with reading() as session:
        return session.get(Tariff, tariff.id)


@pytest.mark.each_case
@pytest.mark.parametrize("settled", [False, True], ids=["under way", "booked"])
@pytest.mark.parametrize("edit", ["change", "postpone", "remove"])
def test_a_price_that_a_clock_ahead_has_reserved_at_stays(
    member: User, provider_id: str, planned: Tariff, settled: bool, edit: str
) -> None:
    sent = reserve(member, provider_id, utc_now() + AHEAD)
    if settled:
        calls.settle(sent, 10, 20)
    later = Terms(prices=CHEAP, starts_at=utc_now() + 2 * AHEAD)
    edits = {
        "change": lambda: change(planned),
        "postpone": lambda: tariff_admin_service.change(HOUSE, planned.id, later),
        "remove": lambda: tariff_admin_service.remove(HOUSE, planned.id),
    }
    assert code_of(edits[edit]) == "price_used"
    kept = stored(planned)
    assert kept is not None
    assert (kept.starts_at, kept.output) == (planned.starts_at, CHEAP.output)


def test_what_was_released_has_no_price(member: User, provider_id: str, planned: Tariff) -> None:
    sent = reserve(member, provider_id, utc_now() + AHEAD)
    with writing() as connection:
        metering_service.release(connection, sent, error_code="upstream_failed", status_code=500)
    change(planned)
    tariff_admin_service.remove(HOUSE, planned.id)
    assert stored(planned) is None


def test_what_another_price_was_for_does_not_hold_this_one(member: User, provider_id: str, planned: Tariff) -> None:
    add(starts_at=planned.starts_at + timedelta(minutes=1), prices=DEAR)
    calls.settle(reserve(member, provider_id, utc_now() + AHEAD), 10, 20)
    tariff_admin_service.remove(HOUSE, planned.id)
    assert stored(planned) is None


def test_no_price_begins_before_what_a_clock_ahead_has_booked(member: User, provider_id: str, planned: Tariff) -> None:
    calls.settle(reserve(member, provider_id, utc_now() + AHEAD / 4), 10, 20)
    soon = utc_now() + timedelta(minutes=1)
    assert code_of(lambda: add(DEAR, soon)) == "price_in_the_past"
    assert code_of(lambda: tariff_admin_service.change(HOUSE, planned.id, Terms(prices=DEAR, starts_at=soon))) == (
        "price_in_the_past"
    )
    add(DEAR, utc_now() + AHEAD / 3)


@pytest.mark.parametrize("settled", [False, True], ids=["under way", "booked"])
def test_a_price_from_now_on_begins_after_what_a_clock_ahead_has_reserved(
    member: User, provider_id: str, settled: bool
) -> None:
    sent = reserve(member, provider_id, utc_now() + AHEAD)
    if settled:
        calls.settle(sent, 10, 20)
    made = add(DEAR)
    assert made.starts_at == sent.at + timedelta(microseconds=1)
    assert reserve(member, provider_id, made.starts_at).priced


def test_a_price_from_now_on_begins_now_where_no_clock_is_ahead(member: User, provider_id: str) -> None:
    sent, before = reserve(member, provider_id), utc_now()
    calls.settle(reserve(member, provider_id, utc_now() + AHEAD, model="another"), 10, 20)
    assert sent.at < before <= add(DEAR).starts_at <= utc_now()


@pytest.mark.parametrize("removes", [False, True])
def test_an_edit_waits_for_reservations_under_way(
    member: User, provider_id: str, planned: Tariff, removes: bool
) -> None:
    said: list[str] = []

    def edit() -> None:
        said.append(code_of(lambda: tariff_admin_service.remove(HOUSE, planned.id) if removes else change(planned)))

    administrator = threading.Thread(target=edit)
    with writing() as connection:
        budget_service.take_turn(connection, member.id)
        call = calls.call_of(member.id, model="m", provider_id=provider_id)
        metering_service.dispatch(connection, call, "key", BOUNDS, at=utc_now() + AHEAD)
        administrator.start()
        administrator.join(0.5)
        assert administrator.is_alive()
    administrator.join()
    assert said == ["price_used"]


def test_a_new_price_waits_for_reservations_under_way(member: User, provider_id: str) -> None:
    """Which are of before it: not even where another model answers, whose price was not known yet."""
    made: list[Tariff] = []
    administrator = threading.Thread(target=lambda: made.append(add(DEAR)))
    with writing() as connection:
        budget_service.take_turn(connection, member.id)
        sent = metering_service.dispatch(
            connection, calls.call_of(member.id, model="m", provider_id=provider_id), "key", BOUNDS
        )
        administrator.start()
        administrator.join(0.5)
        assert administrator.is_alive()
    administrator.join()
    assert made[0].starts_at > sent.at


def test_whoever_reserves_and_edits_at_once_every_entry_is_of_the_price_that_stands(
    member: User, provider_id: str
) -> None:
    for number in range(6):
        start = utc_now() + timedelta(minutes=number + 1)
        planned = add(starts_at=start, model=f"m{number}")

        def act(turn: int, start: datetime = start, planned: Tariff = planned) -> object:
            if turn == 0:
                return code_of(lambda: change(planned))
            calls.settle(reserve(member, provider_id, start, model=planned.model), 10, 20)
            return "booked"

        outcomes = at_once(4, act)
        assert outcomes[0] in {"", "price_used"}
        assert outcomes[1:] == ["booked"] * 3
    with reading() as session:
        rows = session.execute(select(TokenUsage, Tariff).join(Tariff, Tariff.id == TokenUsage.tariff_id)).all()
    assert len(rows) == 18
    for entry, stands in rows:
        used = Usage(entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
        assert entry.cost_micros == tariff.cost(used, tariff_service.prices_of(stands, peak=False))


@pytest.mark.parametrize("field", ["model", "actual_model"])
def test_a_price_of_long_ago_is_refused_by_one_old_answer_and_by_one_of_this_moment(
    member: User, provider_id: str, field: str
) -> None:
    since = utc_now() - timedelta(days=400)
    asked = {"provider_id": provider_id, "model": "another"} | {field: "m"}
    ledger.write([ledger.entry(member.id, since + timedelta(days=days), **asked) for days in (-1, 300)])
    assert code_of(lambda: add(starts_at=since)) == "price_in_the_past"
    assert code_of(lambda: add(starts_at=since + timedelta(days=300, microseconds=1))) == ""
    assert code_of(lambda: add(starts_at=since - timedelta(days=2), model="another one")) == ""


def test_what_is_booked_between_the_look_back_and_the_turns_is_seen(
    member: User, provider_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = reserve(member, provider_id)
    take_all = turns.take_all

    def settle_first(session: Session) -> None:
        if sent.attempt_id not in done:
            done.append(sent.attempt_id)
            calls.settle(sent, 10, 20)
        take_all(session)

    done: list[str] = []
    monkeypatch.setattr(turns, "take_all", settle_first)
    assert code_of(lambda: add(starts_at=sent.at - timedelta(days=30))) == "price_in_the_past"


def test_under_the_turns_nothing_of_long_ago_is_looked_at(
    member: User, provider_id: str, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    ledger.write([ledger.entry(member.id, utc_now() - timedelta(days=days), model="x") for days in range(1, 300)])
    with query_count() as asked:
        add(starts_at=utc_now() - timedelta(days=800))
    of_entries = [statement for statement in asked if "FROM token_usage" in statement and "min(" not in statement]
    *pieces, newer = of_entries
    assert len(pieces) == 38, "eight days at a time"
    assert "token_usage.id >=" in newer
    assert "token_usage.created_at >=" not in newer


@pytest.mark.parametrize("edit", ["add", "add from now on", "remove"])
def test_what_is_settled_while_it_is_looked_for_is_seen(
    member: User, provider_id: str, planned: Tariff, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    if engine().dialect.name == "sqlite":
        pytest.skip("SQLite has one lock, for all that is written")
    sent = reserve(member, provider_id, utc_now() + AHEAD)
    settling = threading.Thread(target=lambda: calls.settle(sent, 10, 20))
    take_all = turns.take_all

    def watch(session: Session) -> None:
        take_all(session)
        event.listen(session.connection(), "after_cursor_execute", settle_once)

    def settle_once(_: object, __: object, statement: str, *___: object) -> None:
        """Between the first look and the next."""
        is_look = any(f"FROM {table}" in statement for table in (Attempt.__tablename__, TokenUsage.__tablename__))
        if is_look and settling.ident is None:
            settling.start()
            settling.join()

    monkeypatch.setattr(turns, "take_all", watch)
    if edit == "add":
        assert code_of(lambda: add(DEAR, sent.at)) == "price_in_the_past"
    elif edit == "remove":
        assert code_of(lambda: tariff_admin_service.remove(HOUSE, planned.id)) == "price_used"
    else:
        assert add(DEAR).starts_at > sent.at
