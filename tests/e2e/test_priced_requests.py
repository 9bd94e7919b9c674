"""What a request cost, in the details of its record: beside its tokens, and alone where there were none."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

MODEL, TARIFFS = "deepseek-v4-pro", "/api/admin/tariffs"

pytestmark = pytest.mark.browser


@pytest.fixture
def priced(site: Site) -> Iterator[None]:
    """A thousand requests of the model cost 5 yuan, for as long as the test is."""
    found = site.ask("GET", TARIFFS)["models"]
    [line] = [line for each in found if each["model"] == MODEL for line in each["lines"] if line["currency"] == "CNY"]
    before: Any = next(each for each in line["tariffs"] if each["state"] == "current")
    same = {"model": MODEL, "currency": "CNY", "prices": before["prices"], "peak": before["peak"]}
    site.ask("POST", TARIFFS, same | {"thousand_requests": "5"})
    yield
    site.ask("POST", TARIFFS, same)


def test_a_record_says_what_its_request_cost(
    look: Look, visits: Visits, site: Site, script: ScriptedUpstream, priced: None
) -> None:
    script.script(Answer("It is.", usage=Usage(prompt=700, cached=500, completion=40)), Answer("", usage=Usage()))
    for question in ("Is it?", "And this?"):
        list(site.server.chat(question, model=MODEL))
    page, say = look.open(visits, "/admin/records"), look.say
    without, answer = page.locator(".record").nth(0), page.locator(".record").nth(1)

    def row(record: Locator, kind: str) -> Locator:
        return record.get_by_role("row", name=re.compile(f"^{say(f'records.part_{kind}')} "))

    for record in (without, answer):
        record.get_by_role("button").first.click()
        words = [say("js.records.per_thousand", price="¥5.00"), "¥0.005"]
        for text in words:
            expect(row(record, "request").get_by_text(text, exact=True)).to_be_visible()
    expect(row(answer, "output")).to_be_visible()
    expect(row(without, "output")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)

    without.get_by_role("button", name=say("records.refund")).click()
    dialog = page.get_by_role("dialog", name=say("records.refund_title"))
    expect(dialog).to_contain_text("¥0.005")
    expect(dialog).not_to_contain_text(say("js.records.tokens", count="0"))
    dialog.get_by_label(say("records.refund_reason"), exact=True).fill("It was not")
    dialog.get_by_role("button", name=say("records.refund")).click()
    expect(page.get_by_text(say("js.records.refunded", what="¥0.005", name="founder")).first).to_be_visible()
