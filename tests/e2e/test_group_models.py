"""A group that is kept to a model: an administrator says so, and its people choose no other."""

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words

FLASH, PRO = "deepseek-flash", "deepseek-v4-pro"
PASSWORD = "copper window mountain"
GROUPS = "/api/admin/groups"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)])
def test_a_group_is_kept_to_a_model(visits: Visits, site: Site, locale: str, viewport: ViewportSize) -> None:
    say, name, person = words(locale), f"Class of {locale}", f"pupil {locale}"
    group = str(site.ask("POST", GROUPS, {"name": name})["id"])
    site.ask("POST", "/api/admin/users", {"username": person, "password": PASSWORD, "group_id": group})
    page = visits.open("/admin/groups", locale=locale, viewport=viewport)
    page.get_by_role("button", name=say("js.admin.access_of", name=name), exact=True).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.access_of", name=name))
    expect(dialog.get_by_role("group", name=say("admin.group_models"))).to_be_hidden()
    dialog.get_by_label(say("admin.group_some_models")).check()
    models = dialog.get_by_role("group", name=say("admin.group_models"))
    models.get_by_label(PRO).check()
    expect_no_fault(page, locale)
    dialog.get_by_role("button", name=say("base.save")).click()
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text(say("js.admin.access_models", names=PRO))
    question.get_by_role("button", name=say("js.admin.access_action")).click()
    row = page.locator(f"[data-id='{group}']")
    expect(row).to_contain_text(say("js.admin.group_models", names=PRO))

    theirs = visits.open("/login", signed_in=False, locale=locale, viewport=viewport)
    entrance.sign_in(theirs, say, username=person, password=PASSWORD)
    chat = Chat(theirs, say)
    expect(theirs.locator("[data-greeting]")).to_be_visible()
    expect(chat.models.locator("option")).to_have_text([PRO])
    site.ask("PUT", f"{GROUPS}/{group}/access", {"models": [FLASH]})
    chat.send("What is a prime number?")
    expect(chat.problem).to_contain_text(say("error.model_not_for_group", model=PRO))
    site.ask("DELETE", f"{GROUPS}/{group}")
