"""A supervised group: its members are told before they write, its manager reads, and each look is told."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import supervision_service
from tests.e2e import entrance, written
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits

PASSWORD = "copper window mountain"
GROUPS = "/api/admin/groups"

pytestmark = pytest.mark.browser


@pytest.fixture
def room(look: Look, site: Site) -> Iterator[str]:
    """The name of a group with somebody in it, and a manager."""
    name = f"Class 9f {look.locale}"
    group = str(site.ask("POST", GROUPS, {"name": name})["id"])
    manager, pupil = _manager(look), _pupil(look)
    for each, group_id in ((manager, DEFAULT_GROUP_ID), (pupil, group)):
        site.ask("POST", "/api/admin/users", {"username": each, "password": PASSWORD, "group_id": group_id})
    site.ask("PUT", f"{GROUPS}/{group}/managers", {"usernames": [manager]})
    yield name
    site.ask("DELETE", f"{GROUPS}/{group}")


def _manager(look: Look) -> str:
    return f"Mrs Wu {look.locale}"


def _pupil(look: Look) -> str:
    return f"Xiao Li {look.locale}"


def _signed_in(look: Look, visits: Visits, name: str) -> Page:
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def _supervised(look: Look, visits: Visits, room: str) -> Page:
    say, admin = look.say, look.open(visits, "/admin/groups")
    admin.get_by_role("button", name=say("js.admin.access_of", name=room)).click()
    dialog = admin.get_by_role("dialog", name=say("js.admin.access_of", name=room))
    dialog.get_by_label(say("admin.group_supervised")).check()
    dialog.get_by_label(say("admin.group_limited")).check()
    look.expect_no_fault(admin)
    dialog.get_by_label(say("admin.group_limited")).uncheck()
    dialog.get_by_role("button", name=say("base.save")).click()
    question = admin.get_by_role("alertdialog")
    expect(question).to_contain_text(say("js.admin.access_supervised"))
    look.expect_no_fault(admin)
    question.get_by_role("button", name=say("js.admin.access_action")).click()
    return admin


def _expect_all_pages(look: Look, site: Site, manager: Page) -> None:
    """One conversation is there already."""
    written.many(site, _pupil(look), supervision_service.LISTED)
    manager.reload()
    rows = manager.locator("[data-readable] > li")
    expect(rows).to_have_count(supervision_service.LISTED)
    manager.get_by_role("button", name=look.say("base.more")).click()
    expect(rows).to_have_count(supervision_service.LISTED + 1)
    expect(rows.last.get_by_role("button")).to_be_focused()
    expect(manager.get_by_role("button", name=look.say("base.more"))).to_be_hidden()
    look.expect_no_fault(manager)


def test_supervision_is_told_before_anything_is_written(look: Look, site: Site, visits: Visits, room: str) -> None:
    say, member = look.say, Chat(_signed_in(look, visits, _pupil(look)), look.say)
    admin = _supervised(look, visits, room)
    row = admin.get_by_role("listitem").filter(has_text=room)
    expect(row).to_contain_text(re.compile(say("js.admin.group_supervised", time=".+")))

    member.send("What is a prime number?")
    expect(member.problem).to_contain_text(say("error.supervision_unseen"))
    member.problem.get_by_role("link", name=say("js.supervision_read")).click()
    page = member.page
    expect(page.get_by_text(say("supervision.who", names=_manager(look)))).to_be_visible()
    look.expect_no_fault(page)
    page.get_by_role("button", name=say("supervision.confirm")).click()
    expect(page.get_by_role("note").filter(has_text=say("chat.supervised"))).to_be_visible()
    member = Chat(page, say)
    member.send("What is a prime number?")
    expect(page.locator("[data-messages]")).to_contain_text("What is a prime number?")
    expect(member.problem).to_be_hidden()

    manager = _signed_in(look, visits, _manager(look))
    manager.goto("/managed")
    manager.get_by_role("button", name=say("js.admin.actions_for", name=_pupil(look))).click()
    manager.locator("[data-row-menu]").get_by_text(say("managed.conversations"), exact=True).click()
    look.expect_no_fault(manager)
    manager.get_by_role("button", name=say("managed.read")).first.click()
    expect(manager.locator("[data-read]")).to_contain_text("What is a prime number?")
    look.expect_no_fault(manager)
    _expect_all_pages(look, site, manager)

    page.goto("/account")
    own = page.get_by_role("region", name=say("supervision.own_looks"))
    expect(own.get_by_role("link", name=say("supervision.did_conversation"))).to_have_count(1)
    look.expect_no_fault(page)
    admin.goto("/admin/audit")
    told = admin.locator("[data-entries] > li").filter(has_text=_manager(look)).first
    expect(told).to_contain_text(say("audit.action_supervision_look"))
    look.expect_no_fault(admin)
