"""The pages on which prompts are kept: one's own, and those for others."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e import prompts_kept
from tests.e2e.accessible import expect_no_fault
from tests.e2e.prompts_kept import OWN
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words

pytestmark = pytest.mark.browser


@pytest.fixture
def prompts(site: Site) -> Iterator[None]:
    yield from prompts_kept.kept(site)


def write(page: Page, say: Words, **values: str) -> Locator:
    dialog = page.get_by_role("dialog")
    for name, value in values.items():
        dialog.locator(f'[name="{name}"]').fill(value)
    dialog.get_by_role("button", name=say("base.save")).click()
    return dialog


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)])
@pytest.mark.parametrize("path", ["/prompts", "/admin/prompts"])
def test_prompts_are_added_found_changed_and_deleted(
    path: str, locale: str, viewport: ViewportSize, visits: Visits
) -> None:
    say, page = words(locale), visits.open(path, locale=locale, viewport=viewport)
    rows = page.locator("[data-prompt-list] > li")
    expect(page.get_by_text(say("js.prompts.none"))).to_be_visible()
    page.get_by_role("button", name=say("prompts.new")).click()
    dialog = write(page, say, command="/two words", title="<b>Title</b>", text="Text {{a}}")
    expect(dialog.get_by_role("alert").filter(has_text=say("error.bad_prompt_command", limit=32))).to_be_visible()
    expect_no_fault(page, locale)
    write(page, say, command="/翻译")
    expect(rows).to_have_count(1)
    expect(rows.locator("[data-slot=title]")).to_have_text("<b>Title</b>")
    expect(rows.get_by_role("button", name=say("js.prompts.edit", command="/翻译"))).to_be_focused()
    page.get_by_role("button", name=say("prompts.new")).click()
    dialog = write(page, say, command="翻译", title="Another", text="Text")
    expect(dialog.get_by_role("alert").filter(has_text=say("error.prompt_command_taken"))).to_be_visible()
    write(page, say, command="other")
    expect(rows).to_have_count(2)
    page.get_by_role("searchbox").fill("another")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text(say("js.prompts.none_found"))).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(rows).to_have_count(2)
    expect_no_fault(page, locale)
    rows.filter(has_text="/翻译").get_by_role("button").first.click()
    expect(page.get_by_role("dialog").locator("[name=text]")).to_have_value("Text {{a}}")
    write(page, say, title="Translate")
    expect(rows.filter(has_text="Translate")).to_have_count(1)
    for left in (1, 0):
        rows.first.locator("[data-delete]").click()
        page.get_by_role("alertdialog").get_by_role("button", name=say("js.prompts.delete_action"), exact=True).click()
        expect(rows).to_have_count(left)
        expect(page.locator("[data-new-prompt]")).to_be_focused()


def test_one_that_was_deleted_elsewhere_leaves_the_list(visits: Visits, site: Site, prompts: None) -> None:
    page = visits.open("/prompts")
    rows = page.locator("[data-prompt-list] > li")
    late = site.ask("POST", OWN, {"command": "late", "title": "Late", "text": "too late"})
    page.reload()
    expect(rows).to_have_count(3)
    site.ask("DELETE", f"{OWN}/{late['id']}")
    rows.filter(has_text="/late").locator("[data-edit]").click()
    expect(rows).to_have_count(2)
    visits.watch(page).problems.clear()  # the browser notes the refusal
