"""What an administrator gives and takes: a role, another password, the hours and the tokens of a group."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from flask_app.database import utc_now
from tests.e2e import entrance
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits

PASSWORD, ANOTHER = "copper window mountain", "seven paper sailing boats"
GROUPS = "/api/admin/groups"

pytestmark = pytest.mark.browser


@pytest.fixture
def name(look: Look, site: Site, request: pytest.FixtureRequest) -> str:
    """A member of each test's own."""
    made = f"{request.node.originalname[-20:].replace('_', ' ').strip()} {look.locale}"
    site.ask("POST", "/api/admin/users", {"username": made, "role": "member", "password": PASSWORD})
    return made


def _signed_in(look: Look, visits: Visits, name: str, password: str = PASSWORD) -> Page:
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=password)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def _choose(page: Page, look: Look, name: str, act: str) -> None:
    page.get_by_role("button", name=look.say("js.admin.actions_for", name=name)).click()
    page.locator("[data-row-menu]").get_by_text(look.say(act), exact=True).click()


def _agree(page: Page, look: Look, action: str) -> None:
    """To the question, which is for everybody to read."""
    question = page.get_by_role("alertdialog")
    expect(question).to_be_visible()
    look.expect_no_fault(page)
    question.get_by_role("button", name=look.say(action)).click()


def test_somebody_becomes_an_administrator_and_a_member_again(look: Look, visits: Visits, name: str) -> None:
    say, theirs = look.say, _signed_in(look, visits, name)
    page = look.open(visits, f"/admin/users?q={name}")
    row = page.get_by_role("row").filter(has_text=name)
    for role, status in (("admin", 200), ("member", 403)):
        _choose(page, look, name, f"js.admin.make_{role}")
        _agree(page, look, f"js.admin.make_{role}")
        expect(row).to_contain_text(say(f"js.admin.role_{role}"))
        theirs.goto("/")
        expect(theirs).to_have_url(re.compile("/login"))  # whose rights have changed is signed out
        entrance.sign_in(theirs, say, username=name, password=PASSWORD)
        expect(theirs.locator("[data-greeting]")).to_be_visible()
        reply = theirs.goto("/admin/users")
        assert reply is not None
        assert reply.status == status


def test_whoever_has_forgotten_a_password_gets_a_link(look: Look, visits: Visits, name: str) -> None:
    say, page = look.say, look.open(visits, f"/admin/users?q={name}")
    _choose(page, look, name, "admin.reset_link")
    _agree(page, look, "js.admin.reset_action")
    shown = page.locator("#link-dialog")
    expect(shown).to_contain_text(say("js.admin.link_for", name=name))
    look.expect_no_fault(page)
    link = shown.locator("#link-address").inner_text()
    shown.get_by_role("button", name=say("admin.done")).click()

    theirs = look.open(visits, link, signed_in=False)
    expect(theirs.get_by_text(say("js.reset_for", name=name))).to_be_visible()
    look.expect_no_fault(theirs)
    entrance.choose_password(theirs, say, ANOTHER)
    expect(theirs.locator("[data-greeting]")).to_contain_text(name)
    _signed_in(look, visits, name, ANOTHER)


@pytest.fixture
def evening(look: Look, site: Site, name: str) -> Iterator[str]:
    """The name of a group that the member is in, whose people may use access tokens."""
    made = site.ask("POST", GROUPS, {"name": f"Evening class {look.locale}"})
    site.ask("PUT", f"{GROUPS}/{made['id']}/access", {"api": True})
    (person,) = site.ask("GET", f"/api/admin/users?q={name}")["users"]
    site.ask("PATCH", f"/api/admin/users/{person['id']}", {"group_id": made["id"]})
    yield made["name"]
    site.ask("DELETE", f"{GROUPS}/{made['id']}")


def _save(page: Page, look: Look, dialog: Locator, *told: str) -> None:
    """Ask for it and, told what the group's people lose, agree."""
    dialog.get_by_role("button", name=look.say("base.save")).click()
    for words in told:
        expect(page.get_by_role("alertdialog")).to_contain_text(words)
    _agree(page, look, "js.admin.access_action")


def _keep_to_an_evening(page: Page, look: Look, group: str) -> None:
    """Of a day that is not today; and without programs."""
    say = look.say
    page.get_by_role("button", name=say("js.admin.access_of", name=group)).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.access_of", name=group))
    dialog.get_by_label(say("admin.group_api"), exact=True).uncheck()
    dialog.get_by_label(say("admin.group_limited")).check()
    days = dialog.get_by_role("group", name=say("admin.group_days")).get_by_role("checkbox")
    for day in days.all():
        day.uncheck()
    _save(page, look, dialog)
    expect(dialog.get_by_role("alert")).to_have_text(say("error.bad_group_hours"))
    look.expect_no_fault(page)
    days.nth((utc_now() - timedelta(days=2)).weekday()).check()  # of no time zone it is today
    dialog.get_by_label(say("admin.group_from"), exact=True).fill("19:00")
    dialog.get_by_label(say("admin.group_to"), exact=True).fill("21:30")
    _save(page, look, dialog, say("js.admin.access_no_api"), "19:00–21:30")


def test_a_group_chats_at_its_hours_and_without_programs(look: Look, visits: Visits, name: str, evening: str) -> None:
    say, theirs = look.say, Chat(_signed_in(look, visits, name), look.say)
    page = look.open(visits, "/admin/groups")
    _keep_to_an_evening(page, look, evening)
    row = page.get_by_role("listitem").filter(has_text=evening)
    expect(row).to_contain_text("19:00–21:30")
    expect(row).to_contain_text(say("admin.group_no_api"))

    theirs.send("Is anybody there?")
    expect(theirs.problem).to_contain_text(re.compile(say("error.outside_hours", opening=".+")))
    expect(theirs.text).to_have_value("Is anybody there?")
    look.expect_no_fault(theirs.page)
    theirs.page.goto("/tokens")
    expect(theirs.page.get_by_role("main")).to_contain_text(say("error.api_not_allowed"))
    look.expect_no_fault(theirs.page)
