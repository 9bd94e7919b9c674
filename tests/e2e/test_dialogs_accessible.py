"""What opens above a page, for everybody: no violation that axe can find."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.held import Held
from tests.e2e.visits import Visits
from tests.e2e.words import Words, words

pytestmark = pytest.mark.browser


def _new_person(page: Page, say: Words) -> None:
    page.goto("/admin/users")
    page.get_by_role("button", name=say("admin.new_user")).click()


def _new_key(page: Page, say: Words) -> None:
    page.goto("/admin/keys")
    page.get_by_role("button", name=say("admin.add_key")).first.click()


def _edit_key(page: Page, say: Words) -> None:
    page.goto("/admin/keys")
    page.locator("[data-menu-button]").first.click()
    page.get_by_role("button", name=say("admin.edit_key")).click()


def _edit_model(page: Page, say: Words) -> None:
    page.goto("/admin/models")
    page.get_by_role("button", name=say("js.admin.edit_model", name="deepseek-flash")).click()


def _new_budget(page: Page, say: Words) -> None:
    page.goto("/admin/budgets")
    page.get_by_role("button", name=say("budgets.new")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("budgets.scope_user")).check()
    dialog.get_by_label(say("budgets.measure_money")).check()
    dialog.get_by_label(say("dashboard.user"), exact=True).fill("Visitor")
    dialog.get_by_label(say("budgets.limit"), exact=True).fill("1,5")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def _new_codes(page: Page, say: Words) -> None:
    page.goto("/admin/codes")
    page.get_by_role("button", name=say("codes.new")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("codes.label"), exact=True).fill("flyers")
    dialog.get_by_label(say("codes.amount"), exact=True).fill("500")
    dialog.get_by_role("button", name=say("codes.make")).click()
    expect(page.locator("[data-made]")).to_be_visible()


def _codes(page: Page, say: Words) -> None:
    _new_codes(page, say)
    page.get_by_role("button", name=say("admin.done")).click()
    page.locator("[data-show-codes]").first.click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()


def _row_menu(page: Page, say: Words) -> None:
    page.goto("/admin/users")
    page.locator("[data-menu-button]").first.click()


def _account_menu(page: Page, say: Words) -> None:
    page.locator("summary.menu__button").click()


def _conversation_menu(page: Page, say: Words) -> None:
    page.locator("[data-more]").first.click()


def _rename(page: Page, say: Words) -> None:
    _conversation_menu(page, say)
    page.locator("[data-conversation-menu]").get_by_text(say("chat.rename")).click()


def _delete(page: Page, say: Words) -> None:
    Held(page, "**/api/conversations/*?decided*")  # others look at it too, however long this one takes
    _conversation_menu(page, say)
    page.locator("[data-conversation-menu]").get_by_text(say("base.delete")).click()


def _of_token(page: Page, say: Words, button: str) -> None:
    """A token of one's own, and what that button opens."""
    page.goto("/tokens")
    page.get_by_role("button", name=say("tokens.new")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("tokens.name"), exact=True).fill("a token")
    dialog.get_by_role("button", name=say("tokens.make")).click()
    page.get_by_role("button", name=say("tokens.kept")).click()
    page.locator(f"[data-slot={button}]").first.click()


def _websites(page: Page, say: Words) -> None:
    _of_token(page, say, "showing")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("tokens.origins_label")).fill("nowhere")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def _rate_and_addresses(page: Page, say: Words) -> None:
    _of_token(page, say, "bounding")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("tokens.networks_label")).fill("nowhere")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def _contents(page: Page, say: Words) -> None:
    _of_token(page, say, "keeping")


def _limit_of_token(page: Page, say: Words) -> None:
    _of_token(page, say, "limiting")


def _move(page: Page, say: Words) -> None:
    _row_menu(page, say)
    page.locator("[data-row-menu]").get_by_text(say("admin.move_to_group")).click()


def _opening_balance(page: Page, say: Words) -> None:
    page.goto("/admin/groups")
    page.locator("[data-open]").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("admin.opening_begins")).check()
    dialog.get_by_label(say("budgets.measure_money")).check()


# What one press opens, by the page it is on.
PRESSED = {
    "[data-add-group]": "/admin/groups",
    "[data-edit]": "/admin/groups",
    "[data-appoint]": "/admin/groups",
    "[data-allow]": "/admin/groups",
    "[data-limits] [data-edit]": "/admin/limits",
    "[data-new-price]": "/admin/prices",
    "[data-threshold]": "/admin/reconciliation",
    "[data-add-server]": "/admin/tools",
    "[data-new-token]": "/tokens",
    "[data-set-webhook]": "/admin/warnings",
}

OPENERS = (
    _limit_of_token,
    _move,
    _websites,
    _rate_and_addresses,
    _contents,
    _new_person,
    _new_key,
    _edit_key,
    _edit_model,
    _new_budget,
    _opening_balance,
    _new_codes,
    _codes,
    _row_menu,
    _account_menu,
    _conversation_menu,
    _rename,
    _delete,
)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("opening", OPENERS, ids=lambda opening: opening.__name__.strip("_"))
def test_what_opens_above_a_page(
    opening: Callable[[Page, Words], Any], locale: str, visits: Visits, conversation: str
) -> None:
    page = visits.open("/", locale=locale)
    opening(page, words(locale))
    expect_no_fault(page, locale)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("button", PRESSED)
def test_what_one_press_opens(button: str, locale: str, visits: Visits, conversation: str) -> None:
    page = visits.open(PRESSED[button], locale=locale)
    page.locator(button).locator("visible=true").first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    expect_no_fault(page, locale)
