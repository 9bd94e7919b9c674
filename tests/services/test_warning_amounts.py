"""How much is little: of a budget, of a balance, of money, and with what is set aside."""

from datetime import timedelta

import pytest

from flask_app.database import utc_now
from flask_app.domain.budget import LEAST_TOKENS
from flask_app.models import User
from flask_app.services.budgets import budget_admin_service
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import refund_service
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support import calls, prices
from tests.support.keys import keep_provider
from tests.support.warned import NOBODY, limit, made, mail_to, notices, use, use_mail


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    use_mail()
    return make_user("ada", email="ada@example.com")


def test_a_top_up_may_be_told_again(ada: User) -> None:
    balance = limit("user", ada.id, period="prepaid", reason="paid")
    use(ada, 8_500)
    look()
    use(ada, 1_500)
    look()
    assert made() == mail_to((80, ada), (100, ada))
    budget_admin_service.top_up(NOBODY, balance, 1_000, "more")
    look()
    assert len(made()) == 2
    use(ada, 700)
    look()
    look()
    assert made() == mail_to((80, ada), (100, ada), (100, ada))


def test_a_balance_that_was_never_topped_up_is_nothing_to_warn_of(ada: User) -> None:
    limit("user", ada.id, 0, period="prepaid")
    look()
    assert made() == []


def test_what_is_left_of_a_small_budget_is_enough_unless_it_is_hard(ada: User) -> None:
    """No message at all fits into the rest of a hard one; the others end at nothing."""
    limit("user", ada.id, 1, unit="CNY")  # no model is offered in it
    limit("user", ada.id, LEAST_TOKENS - 1, hard=False)
    limit("user", ada.id, LEAST_TOKENS, period="week")
    look()
    assert made() == []
    limit("user", ada.id, LEAST_TOKENS - 1, period="month")
    look()
    assert made() == mail_to((100, ada))


def test_money_that_pays_no_message_any_more_is_used_up(ada: User) -> None:
    keep_provider("Elsewhere", "http://127.0.0.1:1", models=["dear", "cheap", "free", "no price"])
    keep_provider("Abroad", "http://127.0.0.1:2", models=["abroad"], currency="USD")
    for model, currency, price in (
        *(("dear", "CNY", 9), ("cheap", "CNY", 1), ("free", "CNY", 0), ("gone", "CNY", 0.1)),
        *(("abroad", "USD", 90), ("abroad", "CNY", 0.1)),
    ):
        prices.put(model, price, currency=currency)
    prices.put("cheap", 5, starts_at=utc_now() + timedelta(days=1))
    for unit in ("CNY", "USD"):
        limit("user", ada.id, 10_000, unit=unit, hard=unit == "CNY")
    use(ada, 1, cost_micros=10_000 - LEAST_TOKENS)
    look()
    assert made() == mail_to((80, ada))
    use(ada, 1, cost_micros=1)
    look()
    assert made() == mail_to((80, ada), (100, ada))


def test_money_is_counted_in_its_own_currency(ada: User) -> None:
    limit("user", ada.id, 1_000_000, unit="CNY")
    limit("user", ada.id, 1_000_000, unit="USD")
    use(ada, 10, cost_micros=800_000)
    look()
    (notice,) = notices()
    assert '"unit":"CNY"' in notice.facts
    assert '"used":800000' in notice.facts


def test_who_was_told_that_all_is_gone_is_not_told_after_it_that_nearly_all_is(ada: User) -> None:
    limit("user", ada.id)
    use(ada, 9_000)
    last = use(ada, 1_000)
    look()
    refund_service.refund(NOBODY, last, "it was wrong")
    look()
    assert made() == mail_to((100, ada))


def test_what_is_set_aside_for_answers_is_not_used(ada: User) -> None:
    limit("user", ada.id)
    calls.dispatch(calls.call_of(ada.id), Bounds(prompt=500, answer=9_500))
    (listed,) = budget_admin_service.listed(utc_now()).budgets
    assert listed.standing.reserved >= 9_500
    look()
    assert made() == []
