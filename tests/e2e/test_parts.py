"""Parts of a page that ask for what they show: on their way, refused, asked again."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

LOOKS = [("en", WIDE, "light"), ("zh", PHONE, "dark")]
PATHS = {"/dashboard": "**/api/usage/groups?*", "/admin": "**/api/admin/usage?*"}
BUSY = {"error": {"code": "too_many", "message": "Slowly."}}
SIGNED_OUT = {"error": {"code": "sign_in_required", "message": "Sign in first."}}

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def answer(site: Site, script: ScriptedUpstream) -> None:
    script.script(Answer("It is."))
    list(site.server.chat("Is it?"))


@pytest.fixture(params=LOOKS, ids=["wide", "phone"])
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    locale, viewport, scheme = request.param
    return {"locale": locale, "viewport": viewport, "scheme": scheme}


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def page(visits: Visits, look: dict[str, Any]) -> Iterator[Page]:
    page = visits.open("/account", **look)
    yield page
    problems = visits.watch(page).problems
    problems[:] = [problem for problem in problems if "429" not in problem and "401" not in problem]


def refuse(page: Page, path: str, status: int, body: dict[str, Any]) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    page.route(PATHS[path], answer)


def retry(part: Locator, say: Words) -> Locator:
    return part.get_by_role("button", name=say("base.retry"))


def seen(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_what_is_on_its_way_has_its_place(page: Page, look: dict[str, Any], path: str) -> None:
    held = Held(page, PATHS[path])
    page.goto(path)
    held.wait()
    part = page.locator("[data-breakdown]")
    expect(part).to_have_attribute("aria-busy", "true")
    expect(part.locator(".skeleton").first).to_be_visible()
    seen(page, f"coming-{path[1:]}-{look['locale']}")
    expect_no_fault(page)
    held.let_go()
    expect(part.locator("[data-slot=label]").first).to_be_visible()
    expect(part.locator(".skeleton")).to_have_count(0)
    expect(part).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("which", ["[data-breakdown]", "[data-heat]"])
def test_what_was_refused_says_why_and_is_asked_again(page: Page, look: dict[str, Any], path: str, which: str) -> None:
    say = words(look["locale"])
    refuse(page, path, 429, BUSY)
    page.goto(path)
    part = page.locator(which)
    part.scroll_into_view_if_needed()
    expect(part.get_by_role("alert")).to_contain_text(BUSY["error"]["message"])
    expect(part.get_by_role("region")).to_have_count(0)
    seen(page, f"refused-{path[1:]}-{look['locale']}")
    page.evaluate("scrollTo(0, 0)")  # nothing is half behind the bar above
    expect_no_fault(page)
    retry(part, say).click()
    expect(part).not_to_have_attribute("aria-busy", "true")  # refused once more, and drawn
    expect(retry(part, say)).to_be_focused()
    page.unroute_all()
    retry(part, say).click()
    expect(part.get_by_role("region").first).to_be_visible()
    expect(part.get_by_role("alert")).to_have_count(0)
    expect(part.locator("[data-part]")).to_be_focused()


def test_another_choice_takes_the_place_of_one_that_was_refused(page: Page, look: dict[str, Any]) -> None:
    say = words(look["locale"])
    page.goto("/dashboard")
    part = page.locator("[data-breakdown]")
    expect(part.locator("[data-slot=label]").first).to_be_visible()
    refuse(page, "/dashboard", 429, BUSY)
    part.get_by_role("button", name=say("stats.by_channel"), exact=True).click()
    expect(part.get_by_role("alert")).to_be_visible()
    page.unroute_all()
    part.get_by_role("button", name=say("stats.by_hour"), exact=True).click()
    expect(part.get_by_role("alert")).to_have_count(0)
    expect(part.locator("[data-breakdown-head]")).to_have_text(say("stats.by_hour"))


def test_whoever_is_signed_out_is_led_to_the_sign_in(page: Page, look: dict[str, Any], path: str) -> None:
    refuse(page, path, 401, SIGNED_OUT)
    page.goto(path)
    link = page.locator("[data-breakdown]").get_by_role("alert").get_by_role("link")
    expect(link).to_have_attribute("href", f"/login?next=%2F{path[1:]}")
