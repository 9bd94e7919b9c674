"""Budgets as the pages have them, and answers that use them up."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Usage

en = words("en")
BUDGETS = "/api/admin/budgets"

Limit = Callable[..., None]


def used(tokens: int) -> Answer:
    return Answer("Indeed.", usage=Usage(prompt=10, cached=0, completion=tokens - 10))


def tokens(count: int) -> str:
    return en("js.budget.tokens", count=f"{count:,}")


def dialog_for_a_new_one(page: Page) -> Locator:
    page.get_by_role("button", name=en("budgets.new")).click()
    return page.get_by_role("dialog", name=en("js.admin.budget_new"))


def save(dialog: Locator) -> None:
    dialog.get_by_role("button", name=en("base.save")).click()
