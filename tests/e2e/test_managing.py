"""A manager's way through the pages: named by an administrator, they look after one group and see no other."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from flask_app.models import DEFAULT_GROUP_ID
from tests.e2e import entrance
from tests.e2e.budgets import BUDGETS, tokens
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits

en = ENGLISH.say
PASSWORD = "copper window mountain"

pytestmark = pytest.mark.browser


@pytest.fixture
def groups(site: Site) -> Iterator[list[str]]:
    """Two, with somebody in each; and somebody who could manage one."""
    made = [site.ask("POST", "/api/admin/groups", {"name": name})["id"] for name in ("Class 7d", "Class 8e")]
    for name, group_id in (("Mr Lin", DEFAULT_GROUP_ID), ("Xiao Hua", made[0]), ("Zhang Wei", made[1])):
        person = {"username": name, "password": PASSWORD, "group_id": group_id}
        if known := site.rows("SELECT id FROM users WHERE username = :name", name=name):
            change = {"group_id": group_id, "disabled": False}
            site.ask("PATCH", f"/api/admin/users/{known[0]['id']}", change)
        else:
            site.ask("POST", "/api/admin/users", person)
    yield made
    for group_id in made:
        site.ask("DELETE", f"/api/admin/groups/{group_id}")


def _signed_in(visits: Visits, name: str, look: Look = ENGLISH) -> Page:
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def _appointed(look: Look, visits: Visits) -> None:
    """An administrator names the manager of Class 7d."""
    say, page = look.say, look.open(visits, "/admin/groups")
    page.get_by_role("button", name=say("js.admin.managers_of", name="Class 7d")).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.managers_of", name="Class 7d"))
    dialog.get_by_label(say("admin.managers_names")).fill("nobody at all")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_contain_text("nobody at all")
    look.expect_no_fault(page)
    dialog.get_by_label(say("admin.managers_names")).fill("mr lin\n")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(page.get_by_role("listitem").filter(has_text="Class 7d")).to_contain_text(
        say("js.admin.group_managers", names="Mr Lin")
    )


def test_a_manager_looks_after_one_group(look: Look, visits: Visits, groups: list[str]) -> None:
    _appointed(look, visits)
    say, page = look.say, _signed_in(visits, "Mr Lin", look)
    page.goto("/dashboard")
    page.get_by_role("navigation").get_by_role("link", name=say("nav.managed")).click()
    expect(page.get_by_role("heading", name="Class 7d")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Xiao Hua")
    expect(row).to_be_visible()
    expect(page.get_by_text("Zhang Wei")).to_have_count(0)
    look.expect_no_fault(page)
    page.get_by_role("navigation", name=say("stats.range")).get_by_role("link", name=say("stats.today")).click()
    expect(page.get_by_role("link", name=say("stats.today"))).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-total]")).to_have_text(say("js.budget.tokens", count="0"))
    row.get_by_role("button", name=say("js.admin.actions_for", name="Xiao Hua")).click()
    page.locator("[data-row-menu]").get_by_text(say("js.admin.disable"), exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.disable")).click()
    expect(row).to_contain_text(say("js.admin.disabled"))
    reply = page.goto(f"/managed/{groups[1]}")
    assert reply is not None
    assert reply.status == 404


def test_a_manager_invites_into_their_group(look: Look, visits: Visits, site: Site, groups: list[str]) -> None:
    site.ask("PUT", f"/api/admin/groups/{groups[0]}/managers", {"usernames": ["Mr Lin"]})
    say, page = look.say, _signed_in(visits, "Mr Lin", look)
    page.goto(f"/managed/{groups[0]}")
    page.get_by_role("button", name=say("admin.invite")).click()
    invite = page.get_by_role("dialog", name=say("admin.invite"))
    invite.get_by_label(say("admin.invitation_name")).fill("For 7d")
    look.expect_no_fault(page)
    invite.get_by_role("button", name=say("admin.invitation_make")).click()
    shown = page.locator("#link-dialog")
    expect(shown).to_contain_text(re.compile(r"/join#((?:[0-9A-Z]{4}-?){4}).*\1", re.DOTALL))
    look.expect_no_fault(page)
    shown.get_by_role("button", name=say("admin.done")).click()
    expect(page.get_by_role("listitem").filter(has_text="For 7d")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)


def test_older_invitations_and_budgets_come_when_they_are_asked_for(
    visits: Visits, site: Site, groups: list[str]
) -> None:
    site.ask("PUT", f"/api/admin/groups/{groups[0]}/managers", {"usernames": ["Mr Lin"]})
    page = _signed_in(visits, "Mr Lin")
    budget = {"scope": "group", "scope_id": groups[0], "period": "day", "limit": 7_000}
    site.ask("POST", BUDGETS, budget)
    site.ask("POST", BUDGETS, budget | {"period": "month", "limit": 8_000})
    for name in ("Older", "Newer"):
        site.ask("POST", "/api/admin/invitations", {"name": name, "group_id": groups[0]})

    def in_pages(route: Route) -> None:
        reply = route.fetch()
        begin, state, end = re.split(r'(?<=id="admin-state">)(.*?)(?=</script>)', reply.text(), flags=re.DOTALL)
        shown = json.loads(state)
        for part, name in (("invited", "invitations"), ("budgets", "budgets")):
            shown[part] = {name: shown[part][name][:1], "next": shown[part][name][0]["id"]}
        route.fulfill(response=reply, body=begin + json.dumps(shown).replace("<", "\\u003c") + end)

    page.route(f"**/managed/{groups[0]}", in_pages)
    page.goto(f"/managed/{groups[0]}")
    for name, older in (("invitations", "Older"), ("budgets", tokens(7_000, en))):
        rows = page.locator(f"[data-{name}] > li")
        expect(rows).to_have_count(1)
        page.locator(f"[data-{name}-more]").click()
        expect(rows).to_have_count(2)
        expect(rows.last).to_contain_text(older)
        expect(page.locator(f"[data-{name}-more]")).to_be_hidden()
