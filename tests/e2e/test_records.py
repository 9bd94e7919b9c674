"""The ledger's entries in the browser: each opens into all that is known of it, and an administrator gives one back."""

import csv
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from flask_app.models import DEFAULT_GROUP_ID
from tests.e2e.looks import CHINESE, Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import PASSWORD

# What could be quoted of the newest one.
QUOTED = "JSON.parse(document.getElementById('dashboard-state').textContent).records[0].attempt_id"

en = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture
def answer(site: Site, script: ScriptedUpstream) -> None:
    script.script(Answer("It is.", usage=Usage(prompt=700, cached=500, completion=40)))
    list(site.server.chat("Is it?"))


def newest(page: Page) -> Any:
    return page.locator(".record").first


def test_a_record_opens_by_keyboard_into_what_its_price_is_made_of(visits: Visits, answer: None) -> None:
    page = visits.open("/dashboard")
    opener = newest(page).get_by_role("button")
    opener.focus()
    page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    details = newest(page).locator("[data-more]")
    expect(details.get_by_text(en("js.records.provenance_reported_long"))).to_be_visible()
    expect(details.get_by_text(en("js.records.fact_key"), exact=True)).to_have_count(0)
    part = details.get_by_role("row").filter(has_text=en("records.part_input_hit"))
    expect(part.get_by_role("cell").first).to_have_text("500")
    page.keyboard.press("Enter")
    expect(details).to_be_hidden()


def test_on_a_phone_a_record_is_a_line_that_opens(visits: Visits, answer: None) -> None:
    page = visits.open("/dashboard", viewport=PHONE)
    line = newest(page).locator("[data-line]")
    expect(line.get_by_text(en("js.records.tokens", count="740"))).to_be_visible()
    expect(line.get_by_text("700", exact=True)).to_be_hidden()
    line.tap()
    expect(newest(page).get_by_text(en("records.part_output"))).to_be_visible()


@pytest.mark.each_case
def test_an_administrator_gives_a_record_back(look: Look, visits: Visits, answer: None) -> None:
    say, page = look.say, look.open(visits, "/admin/records")
    line = newest(page).locator("[data-line]")
    newest(page).get_by_role("button").click()
    expect(newest(page).get_by_text(say("js.records.fact_key"), exact=True)).to_be_visible()
    look.expect_no_fault(page)
    newest(page).get_by_role("button", name=say("records.refund")).click()
    dialog = page.get_by_role("dialog", name=say("records.refund_title"))
    dialog.get_by_label(say("records.refund_reason"), exact=True).fill("It was not")
    look.expect_no_fault(page)
    dialog.get_by_role("button", name=say("records.refund")).click()
    expect(dialog).to_be_hidden()
    expect(line.get_by_text(say("js.records.provenance_refunded"))).to_be_visible()
    expect(newest(page).get_by_role("button", name=say("records.refund"))).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)
    page.reload()
    expect(line.get_by_text(say("js.records.kind_refund"), exact=True)).to_be_visible()
    if look is CHINESE:  # on a phone a record is a line that opens
        expect(line.get_by_text("-700")).to_be_hidden()
        line.tap()
        expect(newest(page).get_by_role("row", name=re.compile(f"^{say('records.part_output')} -40 "))).to_be_visible()
    else:
        expect(line.get_by_text("-700")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    look.expect_no_fault(page)


def test_ones_own_records_are_searched_by_channel_and_by_a_quoted_id(visits: Visits, answer: None) -> None:
    page = visits.open("/dashboard")
    quoted = page.evaluate(QUOTED)
    expect(newest(page)).to_be_visible()
    search = page.get_by_role("search")
    search.get_by_label(en("records.id")).fill(quoted)
    search.get_by_label(en("stats.by_channel")).select_option("api")
    search.get_by_role("button").click()
    expect(page).to_have_url(re.compile("channel=api"))
    expect(page.get_by_text(en("dashboard.records_none"))).to_be_visible()
    expect(search.get_by_label(en("stats.by_channel"))).to_have_value("api")
    search.get_by_label(en("stats.by_channel")).select_option("")
    search.get_by_role("button").click()
    expect(page.locator(".record")).to_have_count(1)
    expect(search.get_by_label(en("records.id"))).to_have_value(quoted)


def test_ones_own_records_are_searched_by_model(visits: Visits, answer: None) -> None:
    page = visits.open("/dashboard")
    search = page.get_by_role("search")
    model = search.get_by_label(en("admin.name_model"), exact=True)
    model.select_option("deepseek-v4-pro")
    search.get_by_role("button").click()
    expect(page).to_have_url(re.compile("model=deepseek-v4-pro"))
    expect(model).to_have_value("deepseek-v4-pro")
    model.select_option("deepseek-flash")
    search.get_by_role("button").click()
    expect(newest(page)).to_contain_text("deepseek-flash")
    page.goto("/dashboard?model=gone")
    expect(model).to_have_value("gone")
    expect(page.get_by_text(en("dashboard.records_none"))).to_be_visible()


def test_ones_own_records_are_searched_by_how_they_ended_and_by_their_figures(visits: Visits, answer: None) -> None:
    page = visits.open("/dashboard")
    quoted = page.evaluate(QUOTED)
    expect(newest(page)).to_be_visible()
    search = page.get_by_role("search")
    search.get_by_label(en("records.id")).fill(quoted)  # others may have failed before
    search.get_by_label(en("dashboard.state"), exact=True).select_option("failed")
    search.get_by_role("button").click()
    expect(page.get_by_text(en("dashboard.records_none"))).to_be_visible()
    expect(search.get_by_label(en("dashboard.state"), exact=True)).to_have_value("failed")
    search.get_by_label(en("dashboard.state"), exact=True).select_option("complete")
    search.get_by_label(en("records.provenance"), exact=True).select_option("reported")
    search.get_by_role("button").click()
    expect(page).to_have_url(re.compile("outcome=complete&provenance=reported"))
    expect(newest(page)).to_be_visible()
    expect(search.get_by_label(en("records.provenance"), exact=True)).to_have_value("reported")


def test_ones_own_records_come_as_a_file(visits: Visits, answer: None) -> None:
    page = visits.open("/dashboard")
    expected = page.get_by_text(re.compile(en("js.records.expected", count="[0-9]+")))
    expect(expected).to_be_visible()
    count = int("".join(filter(str.isdecimal, expected.inner_text())))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="JSON Lines").click()
    lines = downloading.value.path().read_text("utf-8").splitlines()
    assert downloading.value.suggested_filename.endswith(".jsonl")
    assert json.loads(lines[0])["total_tokens"] == 740
    assert len(lines) == count


def test_use_by_access_token_says_what_it_counts(visits: Visits, answer: None) -> None:
    for path in ("/dashboard", "/admin"):
        page = visits.open(path)
        with page.expect_response("**/tokens?*") as asked:
            page.get_by_role("button", name=en("stats.by_token"), exact=True).click()
        assert asked.value.ok
        expect(page.get_by_text(en("stats.token_note"))).to_be_visible()
        page.get_by_role("button", name=en("stats.by_channel"), exact=True).click()
        expect(page.get_by_text(en("stats.token_note"))).to_be_hidden()


def test_the_file_of_a_search_holds_what_it_has_found(look: Look, visits: Visits, site: Site, answer: None) -> None:
    say, name = look.say, f"Readers {look.locale}"
    group = site.ask("POST", "/api/admin/groups", {"name": name})["id"]
    body = {"username": f"a reader {look.locale}", "role": "member", "password": PASSWORD, "group_id": group}
    site.ask("POST", "/api/admin/users", body)
    page = look.open(visits, "/admin/records")
    page.get_by_label(say("admin.group"), exact=True).select_option(label=say("admin.everyone"))
    page.get_by_label(say("records.provenance"), exact=True).select_option("reported")
    page.get_by_role("button", name=say("admin.search"), exact=True).click()
    page.wait_for_url("**group=*")
    expect(page.get_by_label(say("admin.group"), exact=True)).to_have_value(DEFAULT_GROUP_ID)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(downloading.value.path().read_text("utf-8-sig").splitlines()))
    assert rows
    assert {row["provenance"] for row in rows} == {"reported"}

    look.expect_no_fault(page)
    page.get_by_label(say("admin.group"), exact=True).select_option(label=name)
    page.get_by_role("button", name=say("admin.search"), exact=True).click()
    expect(page.get_by_text(say("dashboard.records_none"))).to_be_visible()
    expect(page.get_by_role("link", name="CSV")).to_be_hidden()
    site.ask("DELETE", f"/api/admin/groups/{group}")
