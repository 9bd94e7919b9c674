"""Rate limits on the pages: set for the whole site and for a group, and what then holds."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import Words

pytestmark = pytest.mark.browser


def limits_of(page: Page, say: Words, name: str) -> Locator:
    page.get_by_role("button", name=say("js.admin.edit_limits", name=name)).click()
    return page.get_by_role("dialog", name=say("js.admin.edit_limits", name=name))


@pytest.fixture
def as_shipped(site: Site) -> Iterator[None]:
    """The site's limits are put back."""
    yield
    site.ask("PUT", "/api/admin/rates/site", {})


def test_limits_are_set_for_the_site_and_for_a_group(look: Look, visits: Visits, site: Site, as_shipped: None) -> None:
    say, name = look.say, f"Limited {look.locale}"
    site.ask("POST", "/api/admin/groups", {"name": name})
    page = look.open(visits, "/admin/limits")
    whole, pupils = (
        page.get_by_role("listitem").filter(has=page.get_by_text(each, exact=True))
        for each in (say("js.admin.limits_site"), name)
    )

    dialog = limits_of(page, say, say("js.admin.limits_site"))
    downloads = dialog.get_by_role("group", name=say("limits.downloads"))
    expect(downloads.get_by_label(say("limits.amount"))).to_be_hidden()
    downloads.get_by_label(say("limits.rule")).select_option(label=say("limits.limited"))
    downloads.get_by_label(say("limits.amount")).fill("7")
    downloads.get_by_label(say("limits.time")).select_option(label=say("limits.per_day"))
    look.expect_no_fault(page)
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(whole).to_contain_text(say("js.admin.limits_per_day", count="7"))
    expect(
        page.get_by_role("button", name=say("js.admin.edit_limits", name=say("js.admin.limits_site")))
    ).to_be_focused()
    expect(pupils).to_contain_text(say("js.admin.limits_per_day", count="7"))

    dialog = limits_of(page, say, name)
    expect(dialog.get_by_role("group", name=say("limits.visits"))).to_be_hidden()
    dialog.get_by_role("group", name=say("limits.downloads")).get_by_label(say("limits.rule")).select_option(
        label=say("limits.none")
    )
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(pupils).to_contain_text(say("js.admin.limits_none"))
    page.reload()
    expect(pupils).to_contain_text(say("js.admin.limits_none"))
    expect(whole).to_contain_text(say("js.admin.limits_per_day", count="7"))
    look.expect_no_fault(page)
