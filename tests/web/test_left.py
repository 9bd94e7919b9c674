"""What is left of the tightest budget, as the page first says it: the same words as the page's scripts use."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g

from flask_app.services.budgets.budget_service import Standing
from flask_app.web.left import Left, left

RENEWAL = datetime(2026, 11, 25, 16, tzinfo=UTC)


@pytest.fixture
def reader(app: Flask) -> Iterator[SimpleNamespace]:
    """Whoever asks for the page, in English."""
    person = SimpleNamespace(role="member", timezone="Asia/Shanghai")
    with app.test_request_context():
        g.locale, g.user = "en", person
        yield person


def standing(**fields: Any) -> Standing:
    usual: dict[str, Any] = {"id": "1", "scope": "user", "scope_id": "", "unit": "tokens", "period": "day"}
    usual |= {"limit": 10_000, "full": 10_000, "hard": True, "spent": 4_000, "reserved": 0, "renews_at": RENEWAL}
    return Standing(**(usual | fields))


def said(**fields: Any) -> str:
    found = left([standing(**fields)])
    assert found
    return found.words


def test_without_a_budget_there_is_none(reader: SimpleNamespace) -> None:
    assert left([]) is None


def test_what_is_left_is_said_with_its_period_and_whose_it_is(reader: SimpleNamespace) -> None:
    assert left([standing()]) == Left("open", "Left today: 6,000 tokens")
    assert said(scope="member", period="week") == "Left this week: 6,000 tokens"
    assert said(scope="group", period="month") == "Left this month for your group: 6,000 tokens"
    assert said(scope="site") == "Left today for everybody: 6,000 tokens"
    assert said(period="prepaid", renews_at=None) == "Balance left: 6,000 tokens"


def test_where_little_is_left_what_answers_hold_is_said_too(reader: SimpleNamespace) -> None:
    assert said(reserved=5_000).startswith("Left today: 1,000 tokens, and 5,000 tokens set aside")


def test_what_is_used_up_says_when_it_renews_and_whom_to_ask(reader: SimpleNamespace) -> None:
    assert left([standing(spent=10_000)]) == Left(
        "exhausted",
        "Your daily budget (10,000 tokens) is used up. It renews on Nov 26, 2026, 12:00 AM. "
        "Your administrator can raise it sooner.",
    )
    assert said(spent=12_000, hard=False).endswith(
        "has been reached: 12,000 tokens used. It only warns; you can go on."
    )
    assert said(period="prepaid", spent=10_000, renews_at=None).startswith("Your balance is used up. Ask your admin")
    reader.role = "admin"
    assert said(spent=10_000).endswith("You can give it more on the budgets page.")


def test_the_tightest_is_said(reader: SimpleNamespace) -> None:
    soft = standing(spent=10_000, hard=False)
    low, spent = standing(spent=9_500, period="week"), standing(spent=10_000, period="month")
    words = [found.words for found in (left([soft, low]), left([soft, low, spent])) if found]
    assert words[0] == "Left this week: 500 tokens"
    assert words[1].startswith("Your monthly budget")


def test_what_is_left_today_is_said_beside_a_tighter_budget_of_another_time(reader: SimpleNamespace) -> None:
    low, day = standing(spent=9_500, period="month"), standing()
    shared = standing(scope="group", spent=8_000)
    assert left([day, low]) == Left("low", "Left this month: 500 tokens · Left today: 6,000 tokens")
    assert left([day, shared, low]) == Left(
        "low", "Left this month: 500 tokens · Left today for your group: 2,000 tokens"
    ), "the tightest of the days"
    assert left([standing(spent=9_900), low]) == Left("low", "Left today: 100 tokens"), "the day is the tightest"
    spent = left([day, standing(spent=10_000, period="month")])
    assert spent
    assert "today" not in spent.words, "nothing may be asked today"
