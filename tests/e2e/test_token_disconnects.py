"""What becomes of an answer whose program leaves, as a token's person chooses it on their page."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words

en = words("en")

pytestmark = pytest.mark.browser


def stored(site: Site, name: str) -> str:
    (row,) = site.rows("SELECT on_disconnect FROM access_tokens WHERE name = :name", name=name)
    return str(row["on_disconnect"])


def box(dialog: Locator) -> Locator:
    return dialog.get_by_label(en("tokens.on_disconnect_label"))


def test_a_person_has_answers_made_to_their_end(visits: Visits, site: Site) -> None:
    page = visits.open("/tokens", viewport=PHONE)
    new = page.get_by_role("dialog", name=en("tokens.new"))
    for name, ticks in (("on a train", True), ("at home", False)):
        page.get_by_role("button", name=en("tokens.new")).click()
        expect(box(new)).not_to_be_checked()
        box(new).set_checked(ticks)
        new.get_by_label(en("tokens.name"), exact=True).fill(name)
        new.get_by_role("button", name=en("tokens.make")).click()
        page.get_by_role("button", name=en("tokens.kept")).click()
    assert (stored(site, "on a train"), stored(site, "at home")) == ("continue", "stop")
    expect(page.get_by_role("listitem").filter(has_text="at home")).not_to_contain_text(en("js.tokens.goes_on"))
    row = page.get_by_role("listitem").filter(has_text="on a train")
    expect(row).to_contain_text(en("js.tokens.goes_on"))

    name = en("js.tokens.access_of", name="on a train")
    dialog = page.get_by_role("dialog", name=name)
    for ticked in (False, True):
        row.get_by_role("button", name=name).click()
        expect(box(dialog)).to_be_checked(checked=not ticked)
        expect(box(dialog)).to_have_accessible_description(en("tokens.on_disconnect_hint"))
        box(dialog).set_checked(ticked)
        dialog.get_by_role("button", name=en("base.save")).click()
        expect(dialog).to_be_hidden()
        expect(row.get_by_text(en("js.tokens.goes_on"))).to_have_count(int(ticked))
        assert stored(site, "on a train") == ("continue" if ticked else "stop")
        page.reload()
    expect(row).to_contain_text(en("js.tokens.goes_on"))
