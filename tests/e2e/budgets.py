"""Budgets as the pages have them, and answers that use them up."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.e2e.words import Words
from tests.support.scripted_upstream import Answer, Usage

BUDGETS = "/api/admin/budgets"

Limit = Callable[..., None]
ComeIn = Callable[..., Page]


def used(tokens: int) -> Answer:
    return Answer("Indeed.", usage=Usage(prompt=10, cached=0, completion=tokens - 10))


def tokens(count: int, say: Words) -> str:
    return say("js.budget.tokens", count=f"{count:,}")


def dialog_for_a_new_one(page: Page, say: Words) -> Locator:
    page.get_by_role("button", name=say("budgets.new")).click()
    return page.get_by_role("dialog", name=say("js.admin.budget_new"))


def save(dialog: Locator, say: Words) -> None:
    dialog.get_by_role("button", name=say("base.save")).click()
