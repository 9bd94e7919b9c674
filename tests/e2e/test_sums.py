"""The sums of a range of days: what the cache saved, what peak hours cost, each currency against the time before."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import create_engine, insert
from sqlalchemy.pool import NullPool

from flask_app.models import Attempt, TokenUsage
from tests.e2e import entrance
from tests.e2e.accessible import expect_no_violation
from tests.e2e.site import Site, opened
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support import ledger
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD

RANGE = "from=2026-03-10&to=2026-03-11"
NOW, BEFORE = (datetime(2026, 3, day, 4, tzinfo=UTC) for day in (10, 8))
MEMBER = "Ada"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on which two people used something in these days, and in the days before."""
    with ScriptedUpstream() as provider, opened(tmp_path_factory.mktemp("used"), provider) as running:
        running.set_up()
        member = running.ask("POST", "/api/admin/users", {"username": MEMBER, "role": "member", "password": PASSWORD})
        (owner,) = running.rows("SELECT id FROM users WHERE is_owner")
        fill(running, member["user"]["id"], owner["id"])
        yield running
        running.server.assert_sound_ledger()


def fill(site: Site, member: str, owner: str) -> None:
    peak = {"peak": True, "peak_extra_micros": 250_000}
    entries = [
        ledger.entry(member, BEFORE, cost_micros=2_000_000),
        ledger.entry(member, NOW, cost_micros=3_000_000, cache_saved_micros=1_500_000, **peak),
        ledger.entry(member, NOW, cost_micros=40_000, currency="USD", cache_saved_micros=20_000),
        ledger.entry(owner, BEFORE, cost_micros=80_000, currency="USD", cache_saved_micros=0),
        ledger.entry(owner, NOW, cost_micros=1_000_000, cache_saved_micros=0),
    ]
    rows = [ledger.row_of(each) for each in entries]
    attempts = [settled(each) for each in entries]
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(insert(TokenUsage), rows)
        connection.execute(insert(Attempt), attempts)
        for row in rows:
            ledger.count(connection, row)


def settled(entry: TokenUsage) -> dict[str, Any]:
    return {name: value for name, value in ledger.row_of(ledger.attempt_of(entry)).items() if value is not None}


@pytest.fixture
def visits(browser: Browser, used: Site) -> Iterator[Visits]:
    made = Visits(browser, used)
    yield made
    assert made.close() == []


def slot(page: Page, name: str) -> Locator:
    return page.locator(f"[data-sums] [data-slot={name}]")


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_ones_own_page_tells_what_was_saved_and_how_each_currency_changed(
    visits: Visits, used: Site, locale: str, viewport: Any
) -> None:
    say = words(locale)
    page = visits.open("/login?next=/dashboard", locale=locale, viewport=viewport, signed_in=False)
    entrance.sign_in(page, say, username=MEMBER, password=PASSWORD)
    page.wait_for_url(f"{used.url}/dashboard")
    page.goto(f"/dashboard?{RANGE}")
    expect(slot(page, "cache")).to_have_text("60%")
    expect(slot(page, "cache-note")).to_have_text(say("js.stats.cache_saved", money="¥1.50\u00a0+ $0.02"))
    expect(slot(page, "peak")).to_have_text("50%")
    expect(slot(page, "peak-note")).to_have_text(say("js.stats.peak_extra", money="¥0.25"))
    none = say("js.stats.none_before")
    expect(slot(page, "cost-change").locator("[aria-hidden]")).to_have_text(f"CNY\u00a0+50% · USD\u00a0{none}")
    more = say("js.stats.change_more", share="50%")
    expect(slot(page, "cost-change").locator(".visually-hidden")).to_have_text(f"CNY: {more}; USD: {none}")
    expect(slot(page, "requests-change").locator("[aria-hidden]")).to_have_text("+100%")
    before, _, after = say("js.stats.compared", days="|").partition("|")
    expect(slot(page, "compared")).to_contain_text(before.strip())
    expect(slot(page, "compared")).to_contain_text(after.strip())
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    expect_no_violation(page)


def test_the_administrators_page_tells_it_of_everybody(visits: Visits) -> None:
    say = words("en")
    page = visits.open(f"/admin?{RANGE}")
    expect(slot(page, "cache-note")).to_have_text(say("js.stats.cache_saved", money="¥1.50\u00a0+ $0.02"))
    expect(slot(page, "peak-note")).to_have_text(say("js.stats.peak_extra", money="¥0.25"))
    expect(slot(page, "peak")).to_have_text("33.3%")
    expect(slot(page, "cost-change").locator("[aria-hidden]")).to_have_text("CNY\u00a0+100% · USD\u00a0−50%")
    expect(slot(page, "compared")).to_have_text(say("js.stats.compared", days="Mar 8 – 9, 2026"))
