"""Rate limits on the pages: set for the whole site and for a group, and what then holds."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words

en = words("en")

pytestmark = pytest.mark.browser


def limits_of(page: Page, name: str) -> Locator:
    page.get_by_role("button", name=en("js.admin.edit_limits", name=name)).click()
    return page.get_by_role("dialog", name=en("js.admin.edit_limits", name=name))


@pytest.fixture
def as_shipped(site: Site) -> Iterator[None]:
    """The site's limits are put back."""
    yield
    site.ask("PUT", "/api/admin/rates/site", {})


def test_limits_are_set_for_the_site_and_for_a_group(visits: Visits, site: Site, as_shipped: None) -> None:
    site.ask("POST", "/api/admin/groups", {"name": "Limited"})
    page = visits.open("/admin/limits")
    whole, pupils = (
        page.get_by_role("listitem").filter(has_text=name) for name in (en("js.admin.limits_site"), "Limited")
    )

    dialog = limits_of(page, en("js.admin.limits_site"))
    downloads = dialog.get_by_role("group", name=en("limits.downloads"))
    expect(downloads.get_by_label(en("limits.amount"))).to_be_hidden()
    downloads.get_by_label(en("limits.rule")).select_option(label=en("limits.limited"))
    downloads.get_by_label(en("limits.amount")).fill("7")
    downloads.get_by_label(en("limits.time")).select_option(label=en("limits.per_day"))
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(whole).to_contain_text(en("js.admin.limits_per_day", count="7"))
    expect(page.get_by_role("button", name=en("js.admin.edit_limits", name=en("js.admin.limits_site")))).to_be_focused()
    expect(pupils).to_contain_text(en("js.admin.limits_per_day", count="7"))

    dialog = limits_of(page, "Limited")
    expect(dialog.get_by_role("group", name=en("limits.visits"))).to_be_hidden()
    dialog.get_by_role("group", name=en("limits.downloads")).get_by_label(en("limits.rule")).select_option(
        label=en("limits.none")
    )
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(pupils).to_contain_text(en("js.admin.limits_none"))
    page.reload()
    expect(pupils).to_contain_text(en("js.admin.limits_none"))
    expect(whole).to_contain_text(en("js.admin.limits_per_day", count="7"))
