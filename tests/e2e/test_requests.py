"""What programs asked, on both pages: found, opened, followed to the ledger's record, kept for as long as is said."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import urllib3
from playwright.sync_api import expect

from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

NAME, UNKNOWN = "the build", "gpt-0"

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


def test_ones_own_are_found_by_token_opened_and_followed(look: Look, visits: Visits, asked: Asked) -> None:
    say, page = look.say, look.open(visits, "/tokens")
    page.get_by_role("link", name=say("js.tokens.requests_of", name=NAME)).click()
    lines = page.locator("[data-requests] > li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("404 · model_not_found")
    expect(lines.first).to_contain_text(UNKNOWN)
    lines.first.locator("summary").click()
    expect(lines.first).to_contain_text(asked.refused)
    expect(lines.first.get_by_role("link", name=say("requests.record"))).to_be_hidden()
    lines.last.locator("summary").click()
    expect(lines.last).to_contain_text(asked.answered)
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)

    page.get_by_label(say("requests.status"), exact=True).select_option("4xx")
    page.get_by_role("button", name=say("admin.search"), exact=True).click()
    expect(lines).to_have_count(1)
    expect(page.get_by_label(say("js.records.fact_token"), exact=True)).to_have_value(asked.token_id)
    page.go_back()
    lines.last.locator("summary").click()
    lines.last.get_by_role("link", name=say("requests.record")).click()
    expect(page.locator("[data-record-rows] > .record")).to_have_count(1)
    expect(page.locator("[data-record-rows]")).to_contain_text("deepseek-flash")


def test_an_administrator_finds_a_failure_and_all_alike(look: Look, visits: Visits, asked: Asked) -> None:
    say, page = look.say, look.open(visits, f"/admin/requests?id={asked.refused}")
    lines = page.locator("[data-requests] > li")
    expect(lines).to_have_count(1)
    expect(lines.first).to_contain_text("founder")
    lines.first.locator("summary").click()
    expect(lines.first).to_contain_text("127.0.0.1")
    look.expect_no_fault(page)
    lines.first.get_by_role("link", name=say("js.requests.alike", code="model_not_found")).click()
    expect(page.get_by_label(say("requests.error"), exact=True)).to_have_value("model_not_found")
    expect(lines.first).to_contain_text(UNKNOWN)

    page.get_by_label(say("dashboard.user"), exact=True).fill("nobody")
    page.get_by_role("button", name=say("admin.search"), exact=True).click()
    expect(page.get_by_text(say("requests.none"))).to_be_visible()


def test_an_administrator_says_for_how_long_they_are_kept(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, f"Brief log {look.locale}"
    group = site.ask("POST", "/api/admin/groups", {"name": name})["id"]
    page = look.open(visits, "/admin/requests")
    days, of_group = page.get_by_label(say("requests.days"), exact=True), page.get_by_label(name, exact=True)
    for wanted, shown, own, shown_own in (("90", "30", "3", ""), ("30", "90", "", "3")):
        page.get_by_role("button", name=say("requests.keep")).click()
        expect(days).to_have_value(shown)
        expect(of_group).to_have_value(shown_own)
        look.expect_no_fault(page)
        days.fill(wanted)
        of_group.fill(own)
        page.get_by_role("dialog").get_by_role("button", name=say("base.save")).click()
        expect(page.get_by_role("status")).to_have_text(say("js.requests.kept", count=wanted))
        assert site.ask("GET", "/api/admin/requests/retention") == {
            "days": int(wanted),
            "groups": {group: int(own)} if own else {},
        }
    site.ask("DELETE", f"/api/admin/groups/{group}")
