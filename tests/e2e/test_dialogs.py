"""Dialogs that are opened, left and opened again: nothing of before stands in them, and nothing is at an end."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.budgets import BUDGETS
from tests.e2e.held import Held
from tests.e2e.looks import ENGLISH
from tests.e2e.site import Site
from tests.e2e.visits import Visits

say = ENGLISH.say
TOP_UPS, CODES = re.compile(r"/top-ups\?"), re.compile(r"/codes(\?|$)")

pytestmark = pytest.mark.browser


@pytest.fixture
def balance(site: Site) -> Iterator[Any]:
    """A group's, topped up once more than a page of them has."""
    group = site.ask("POST", "/api/admin/groups", {"name": "Topped up often"})
    body = {"scope": "group", "scope_id": group["id"], "period": "prepaid", "limit": 0}
    budget = site.ask("POST", BUDGETS, body)
    for number in range(11):
        top_up = {"amount": 10, "reason": f"receipt {number}", "idempotency_key": f"receipt-{number}-of-many"}
        site.ask("POST", f"{BUDGETS}/{budget['id']}/top-ups", top_up)
    yield budget
    site.ask("DELETE", f"{BUDGETS}/{budget['id']}")
    site.ask("DELETE", f"/api/admin/groups/{group['id']}")


def drop(route: Route) -> None:
    route.abort("connectionrefused")


def test_what_was_wrong_before_is_not_said_of_something_else(visits: Visits) -> None:
    page = visits.open("/admin/settings")
    page.get_by_role("button", name=say("settings.announce")).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.announcement_new"))
    dialog.get_by_label(say("settings.text")).fill(" ")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_role("button", name=say("base.cancel")).click()
    page.get_by_role("button", name=say("settings.announce")).click()
    expect(dialog).to_be_visible()
    expect(dialog.locator("[data-form-error]")).to_be_hidden()
    expect(dialog.locator("[data-form-error]")).to_be_empty()


def test_a_password_that_was_shown_is_hidden_the_next_time(visits: Visits) -> None:
    page = visits.open("/admin/users")
    dialog = page.locator("dialog", has=page.locator("[data-new-user]"))
    field, button = dialog.locator("[name=password]"), dialog.locator("[data-reveal]")
    for _ in range(2):
        page.get_by_role("button", name=say("admin.new_user")).click()
        dialog.get_by_label(say("admin.way_password")).check()
        expect(field).to_have_attribute("type", "password")
        expect(button).to_have_attribute("aria-pressed", "false")
        button.click()
        expect(field).to_have_attribute("type", "text")
        dialog.get_by_role("button", name=say("base.cancel")).click()


def test_a_pasted_list_outlives_a_press_beside_its_dialog(visits: Visits) -> None:
    page = visits.open("/admin/users")
    page.get_by_role("button", name=say("admin.invite_many")).click()
    people = page.get_by_role("dialog", name=say("admin.invite_many")).get_by_label(say("admin.many_people"))
    people.fill("Li Lei\nHan Meimei")
    page.mouse.click(5, 5)
    expect(people).to_be_hidden()
    page.get_by_role("button", name=say("admin.invite_many")).click()
    expect(people).to_have_value("Li Lei\nHan Meimei")


def test_half_an_address_that_is_hidden_holds_nothing_up(visits: Visits, site: Site) -> None:
    page = visits.open("/admin/keys")
    page.locator("[data-add-key]").first.click()
    dialog = page.locator("#add-key-dialog")
    preset = dialog.locator("[data-preset]")
    preset.select_option("other")
    dialog.locator("[name=base_url]").fill("half an address")
    preset.select_option(index=0)
    dialog.locator("[name=label]").fill("Saved all the same")
    dialog.locator("[name=secret]").fill("sk-of-a-test-0123456789")
    page.route("**/api/admin/keys", drop)
    dialog.locator("[type=submit]").click()
    expect(dialog.get_by_role("alert")).to_have_text(say("js.error.offline"))


def test_half_a_moment_that_is_hidden_holds_nothing_up(visits: Visits) -> None:
    page = visits.open("/admin/prices")
    page.get_by_role("button", name=say("admin.new_price"), exact=True).first.click()
    dialog = page.get_by_role("dialog", name=say("js.admin.price_new"))
    dialog.get_by_label(say("admin.price_later")).check()
    dialog.locator("[name=moment]").fill("1999-01-01T00:00")
    dialog.get_by_label(say("admin.price_now")).check()
    for name, value in {"model": "half", "currency": "EUR", "input_hit": "1", "input_miss": "1", "output": "1"}.items():
        dialog.locator(f'[name="{name}"]').fill(value)
    page.route("**/api/admin/tariffs", drop)
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("js.error.offline"))


def expect_more_of(page: Page, lines: str, more: str, pattern: re.Pattern[str], count: int) -> None:
    """It can be asked for again, and the focus is where it goes on."""
    button, lines_of = page.locator(more), page.locator(f"{lines} > li")
    expect(lines_of).to_have_count(count)
    page.route(pattern, drop)
    button.focus()
    button.press("Enter")
    expect(page.locator(".toast")).to_contain_text(say("js.error.offline"))
    expect(button).to_be_focused()
    page.unroute(pattern, drop)
    button.press("Enter")
    expect(lines_of).to_have_count(count + 1)
    expect(button).to_be_hidden()
    expect(lines_of.last).to_be_focused()


def test_more_of_a_balances_top_ups(visits: Visits, balance: Any) -> None:
    page = visits.open("/admin/budgets")
    act, dialog = page.locator(f"[data-id='{balance['id']}'] [data-top-up]"), page.locator("#top-up-dialog")
    held = Held(page, TOP_UPS)
    for count in (1, 2):
        act.click()
        held.wait(count)
        if count == 1:
            dialog.get_by_role("button", name=say("base.cancel")).click()
    held.let_go()
    expect_more_of(page, "[data-slot=top-ups]", "[data-top-ups-more]", TOP_UPS, 10)


def test_more_of_a_batchs_codes(visits: Visits, site: Site) -> None:
    site.ask("POST", "/api/admin/code-batches", {"label": "More than a page", "count": 51, "amount": 10})
    page = visits.open("/admin/codes")
    row = page.get_by_role("listitem").filter(has_text="More than a page")
    page.route(CODES, drop)
    row.get_by_role("button", name=say("js.admin.codes_of", label="More than a page")).click()
    more = page.locator("[data-codes-more]")
    expect(page.locator(".toast")).to_contain_text(say("js.error.offline"))
    page.locator(".toast [data-close-toast]").click()
    page.unroute(CODES, drop)
    more.click()
    expect(page.locator("[data-codes] > li").first).to_be_focused()
    expect_more_of(page, "[data-codes]", "[data-codes-more]", CODES, 50)
