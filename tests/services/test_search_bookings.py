"""A search in the ledger: no tokens, a price for having asked, held by budgets to the micro-unit, given back whole."""

import pytest
from sqlalchemy import select

from flask_app.database import in_writing, reading, transaction, utc_now
from flask_app.domain.events import Usage
from flask_app.errors import BudgetExhausted
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service
from flask_app.services.completion.attempts import Bounds, Call, Dispatched, Outcome
from flask_app.services.ledger import metering_service, refund_service, usage_check_service
from flask_app.services.runs import reaper_service
from flask_app.services.usage import stats_service
from tests.support import calls, ledger, prices
from tests.support.keys import keep_provider
from tests.support.limits import limit

NOTHING = Bounds(prompt=0, answer=0)
FOUND = Outcome(usage=Usage(0, 0, 0, 0), status_code=200)
PRICE = 5_000  # micro-units: ¥5 for a thousand


def search(person: User, **fields: str) -> Call:
    return calls.call_of(person.id, channel="search", prompt=0, **{"model": "deepseek-search"} | fields)


def settle(sent: Dispatched, outcome: Outcome) -> None:
    in_writing(lambda connection: metering_service.settle(connection, sent, outcome))


def entries() -> list[tuple[str, int, int, int | None, str | None]]:
    with reading() as session:
        found = session.scalars(select(TokenUsage).order_by(TokenUsage.id)).all()
    return [
        (each.source, each.prompt_tokens, each.completion_tokens, each.cost_micros, each.currency) for each in found
    ]


def test_a_search_sets_aside_its_price_and_is_booked_at_it(member: User) -> None:
    sent = calls.dispatch(search(member), NOTHING)
    assert (sent.hold.tokens, sent.hold.answer_tokens, sent.hold.micros, sent.hold.currency) == (0, 0, PRICE, "CNY")
    settle(sent, FOUND)
    assert entries() == [("reported", 0, 0, PRICE, "CNY")]
    assert (ledger.unsound(), usage_check_service.count_overruns()) == ([], 0)


def test_a_search_that_was_stopped_on_its_way_is_booked_as_an_estimate(member: User) -> None:
    settle(calls.dispatch(search(member), NOTHING), Outcome(status="stopped"))
    assert entries() == [("estimated", 0, 0, PRICE, "CNY")]


def test_a_search_that_its_worker_left_is_booked_as_an_estimate(member: User) -> None:
    provider = keep_provider("P", "https://p.example.com", currency="CNY")
    sent = calls.dispatch(search(member, provider_id=provider), NOTHING)
    with transaction() as session:
        assert reaper_service.book_lost(session, sent.attempt_id)
    assert entries() == [("estimated", 0, 0, PRICE, "CNY")]


@pytest.mark.parametrize("refused", [Outcome(status="failed", error_code="upstream_unreachable"), Outcome(asked=False)])
def test_a_search_that_nobody_made_costs_nothing(member: User, refused: Outcome) -> None:
    sent = calls.dispatch(search(member), NOTHING)
    settle(sent, refused)
    assert entries() == []
    with reading() as session:
        assert session.get_one(Attempt, sent.attempt_id).state == "released"


def test_a_refund_gives_the_price_back(member: User) -> None:
    limit(PRICE, unit="CNY")
    settle(calls.dispatch(search(member), NOTHING), FOUND)
    with pytest.raises(BudgetExhausted):
        calls.dispatch(search(member), NOTHING)
    with reading() as session:
        booked = session.scalars(select(TokenUsage.id)).one()
    refund_service.refund(Actor(None), booked, "it found nothing")
    assert entries() == [("reported", 0, 0, PRICE, "CNY"), ("reported", 0, 0, -PRICE, "CNY")]
    assert ledger.unsound() == []
    calls.dispatch(search(member), NOTHING)


@pytest.mark.parametrize(("amount", "searches"), [(PRICE - 1, 0), (PRICE, 1), (3 * PRICE - 1, 2), (3 * PRICE, 3)])
def test_a_budget_in_money_lets_in_as_many_as_it_pays_for(member: User, amount: int, searches: int) -> None:
    """Those on their way count as those that were booked."""
    limit(amount, unit="CNY")
    for number in range(searches):
        sent = calls.dispatch(search(member), NOTHING)
        if number % 2:
            settle(sent, FOUND)
    with pytest.raises(BudgetExhausted) as refusal:
        calls.dispatch(search(member), NOTHING)
    assert refusal.value.params["left"] == amount - searches * PRICE


def test_a_search_takes_nothing_of_a_budget_in_tokens(member: User) -> None:
    limit(1)
    settle(calls.dispatch(search(member), NOTHING), FOUND)
    (standing,) = budget_service.own(member, utc_now())
    assert (standing.spent, standing.reserved, standing.left) == (0, 0, 1)


def test_an_answer_sets_aside_what_its_request_costs_too(member: User) -> None:
    prices.put("m", 1, request=2)  # a micro-unit for a token, 2,000 for a request
    sent = calls.dispatch(calls.call_of(member.id, model="m"), Bounds(prompt=1000, answer=300))
    assert sent.hold.micros == 1300 + 2000
    calls.settle(sent, 1000, 300)
    assert entries() == [("reported", 1000, 300, 3300, "CNY")]
    assert usage_check_service.count_overruns() == 0


def test_the_answer_is_as_long_as_the_rest_pays_for(member: User) -> None:
    prices.put("m", 1, request=2)
    limit(2000 + 100 + 256, unit="CNY")
    sent = calls.dispatch(calls.call_of(member.id, model="m"), Bounds(prompt=100, answer=9000))
    assert sent.hold.answer_tokens == 256
    limit(2000 + 100 + 255, unit="CNY", period="week")
    calls.settle(sent, 0, 0)
    with pytest.raises(BudgetExhausted):
        calls.dispatch(calls.call_of(member.id, model="m"), Bounds(prompt=100, answer=9000))


def test_without_a_price_a_search_is_unpriced_and_one_that_nobody_bills_is_free(member: User) -> None:
    settle(calls.dispatch(search(member, currency="EUR"), NOTHING), FOUND)
    settle(calls.dispatch(search(member, model="searxng", currency=""), NOTHING, key_id=None), FOUND)
    assert entries() == [("reported", 0, 0, None, None)] * 2
    total = stats_service.own_summary(member, utc_now()).total
    assert (total.requests, total.unpriced_requests, total.costs) == (2, 1, {})
