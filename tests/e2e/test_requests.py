"""What programs asked, on both pages: found, opened, followed to the ledger's record, kept for as long as is said."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import urllib3
from playwright.sync_api import ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

NAME, UNKNOWN = "the build", "gpt-0"

en = words("en")

pytestmark = pytest.mark.browser


@dataclass
class Asked:
    """A token, and the ids of the request that was answered and of the one that was refused."""

    token_id: str
    answered: str
    refused: str


@pytest.fixture
def asked(site: Site, script: ScriptedUpstream) -> Iterator[Asked]:
    made = site.ask("POST", "/api/tokens", {"name": NAME})
    script.script(Answer("Hello to a program."))
    answered, refused = (ask(site, made["secret"], model) for model in ("deepseek-flash", UNKNOWN))
    token_id = made["token"]["id"]
    count = "SELECT count(*) AS number FROM program_requests WHERE token_id = :token"
    wait_until(lambda: site.rows(count, token=token_id)[0]["number"] == 2)
    yield Asked(token_id, answered, refused)
    site.ask("DELETE", f"/api/tokens/{token_id}")


def ask(site: Site, secret: str, model: str) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    reply = urllib3.request(
        "POST", f"{site.url}/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {secret}"}
    )
    return reply.headers["X-Request-ID"]


@pytest.mark.parametrize("viewport", [PHONE, WIDE])
def test_ones_own_are_found_by_token_opened_and_followed(visits: Visits, asked: Asked, viewport: ViewportSize) -> None:
    page = visits.open("/tokens", viewport=viewport)
    page.get_by_role("link", name=en("js.tokens.requests_of", name=NAME)).click()
    lines = page.locator("[data-requests] > li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("404 · model_not_found")
    expect(lines.first).to_contain_text(UNKNOWN)
    lines.first.locator("summary").click()
    expect(lines.first).to_contain_text(asked.refused)
    expect(lines.first.get_by_role("link", name=en("requests.record"))).to_be_hidden()
    lines.last.locator("summary").click()
    expect(lines.last).to_contain_text(asked.answered)
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    expect_no_fault(page)
    page.set_viewport_size(viewport)

    page.get_by_label(en("requests.status"), exact=True).select_option("4xx")
    page.get_by_role("button", name=en("admin.search")).click()
    expect(lines).to_have_count(1)
    expect(page.get_by_label(en("js.records.fact_token"), exact=True)).to_have_value(asked.token_id)
    page.go_back()
    lines.last.locator("summary").click()
    lines.last.get_by_role("link", name=en("requests.record")).click()
    expect(page.locator("[data-record-rows] > .record")).to_have_count(1)
    expect(page.locator("[data-record-rows]")).to_contain_text("deepseek-flash")


@pytest.mark.parametrize("viewport", [PHONE, WIDE])
def test_an_administrator_finds_a_failure_and_all_alike(visits: Visits, asked: Asked, viewport: ViewportSize) -> None:
    page = visits.open(f"/admin/requests?id={asked.refused}", viewport=viewport)
    lines = page.locator("[data-requests] > li")
    expect(lines).to_have_count(1)
    expect(lines.first).to_contain_text("founder")
    lines.first.locator("summary").click()
    expect(lines.first).to_contain_text("127.0.0.1")
    expect_no_fault(page)
    page.set_viewport_size(viewport)
    lines.first.get_by_role("link", name=en("js.requests.alike", code="model_not_found")).click()
    expect(page.get_by_label(en("requests.error"), exact=True)).to_have_value("model_not_found")
    expect(lines.first).to_contain_text(UNKNOWN)

    page.get_by_label(en("dashboard.user"), exact=True).fill("nobody")
    page.get_by_role("button", name=en("admin.search")).click()
    expect(page.get_by_text(en("requests.none"))).to_be_visible()


def test_an_administrator_says_for_how_long_they_are_kept(visits: Visits, site: Site) -> None:
    group = site.ask("POST", "/api/admin/groups", {"name": "Brief log"})["id"]
    page = visits.open("/admin/requests")
    days, of_group = page.get_by_label(en("requests.days"), exact=True), page.get_by_label("Brief log", exact=True)
    for wanted, shown, own, shown_own in (("90", "30", "3", ""), ("30", "90", "", "3")):
        page.get_by_role("button", name=en("requests.keep")).click()
        expect(days).to_have_value(shown)
        expect(of_group).to_have_value(shown_own)
        days.fill(wanted)
        of_group.fill(own)
        page.get_by_role("dialog").get_by_role("button", name=en("base.save")).click()
        expect(page.get_by_role("status")).to_have_text(en("js.requests.kept", count=wanted))
        assert site.ask("GET", "/api/admin/requests/retention") == {
            "days": int(wanted),
            "groups": {group: int(own)} if own else {},
        }
