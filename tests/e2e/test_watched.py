"""A supervised group: its members are told before they write, its manager reads, and each look is told."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words

en = words("en")
PASSWORD = "copper window mountain"
GROUPS = "/api/admin/groups"

pytestmark = pytest.mark.browser


@pytest.fixture
def room(site: Site) -> Iterator[str]:
    """A group with somebody in it, and a manager."""
    group = str(site.ask("POST", GROUPS, {"name": "Class 9f"})["id"])
    for name, group_id in (("Mrs Wu", "0" * 26), ("Xiao Li", group)):
        site.ask("POST", "/api/admin/users", {"username": name, "password": PASSWORD, "group_id": group_id})
    site.ask("PUT", f"{GROUPS}/{group}/managers", {"usernames": ["Mrs Wu"]})
    yield group
    site.ask("DELETE", f"{GROUPS}/{group}")


def _signed_in(visits: Visits, name: str) -> Page:
    page = visits.open("/login", signed_in=False, viewport=PHONE)
    entrance.sign_in(page, en, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def _supervised(visits: Visits) -> Page:
    admin = visits.open("/admin/groups")
    admin.get_by_role("button", name=en("js.admin.access_of", name="Class 9f")).click()
    dialog = admin.get_by_role("dialog", name=en("js.admin.access_of", name="Class 9f"))
    dialog.get_by_label(en("admin.group_supervised")).check()
    dialog.get_by_label(en("admin.group_limited")).check()
    expect_no_fault(admin, "en")
    dialog.get_by_label(en("admin.group_limited")).uncheck()
    dialog.get_by_role("button", name=en("base.save")).click()
    question = admin.get_by_role("alertdialog")
    expect(question).to_contain_text(en("js.admin.access_supervised"))
    expect_no_fault(admin, "en")
    question.get_by_role("button", name=en("js.admin.access_action")).click()
    return admin


def test_supervision_is_told_before_anything_is_written(visits: Visits, room: str) -> None:
    member = Chat(_signed_in(visits, "Xiao Li"), en)
    admin = _supervised(visits)
    row = admin.get_by_role("listitem").filter(has_text="Class 9f")
    expect(row).to_contain_text(en("js.admin.group_supervised", time="")[:16])

    member.send("What is a prime number?")
    expect(member.problem).to_contain_text(en("error.supervision_unseen"))
    member.problem.get_by_role("link", name=en("js.supervision_read")).click()
    page = member.page
    expect(page.get_by_text(en("supervision.who", names="Mrs Wu"))).to_be_visible()
    expect_no_fault(page, "en")
    page.get_by_role("button", name=en("supervision.confirm")).click()
    expect(page.get_by_role("note").filter(has_text=en("chat.supervised"))).to_be_visible()
    member = Chat(page, en)
    member.send("What is a prime number?")
    expect(page.locator("[data-messages]")).to_contain_text("What is a prime number?")
    expect(member.problem).to_be_hidden()

    manager = _signed_in(visits, "Mrs Wu")
    manager.goto("/managed")
    manager.get_by_role("button", name=en("js.admin.actions_for", name="Xiao Li")).click()
    manager.locator("[data-row-menu]").get_by_text(en("managed.conversations"), exact=True).click()
    manager.get_by_role("button", name=en("managed.read")).first.click()
    expect(manager.locator("[data-read]")).to_contain_text("What is a prime number?")
    expect_no_fault(manager, "en")

    page.goto("/account")
    own = page.get_by_role("region", name=en("supervision.own_looks"))
    expect(own.get_by_role("link", name=en("supervision.did_conversation"))).to_have_count(1)
    expect_no_fault(page, "en")
