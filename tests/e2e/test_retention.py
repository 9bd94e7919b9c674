"""How long conversations are kept: set in the settings, counted before anything goes, told where people write."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection, create_engine, delete, insert, update
from sqlalchemy.pool import NullPool

from flask_app.database import new_id, utc_now
from flask_app.models import DEFAULT_GROUP_ID, Conversation, FilePiece, KeptFile
from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import attach, chips, pdf, picture, sent
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream

# Each language, colour and size with each of the others.
LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]
DAYS = {"en": "{} days", "zh": "{} 天"}
LONG_AGO = utc_now() - timedelta(days=4000)
RETENTION = "/api/admin/settings/retention"

pytestmark = pytest.mark.browser


@contextmanager
def rows_of(site: Site) -> Iterator[Connection]:
    """The site's own, in a transaction."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def old_words_of(site: Site, user_id: str) -> None:
    """One conversation, and no other: what is due may have gone by now."""
    row = {"id": new_id(), "user_id": user_id, "title": "old", "updated_at": LONG_AGO}
    with rows_of(site) as connection:
        connection.execute(delete(Conversation).where(Conversation.user_id == user_id))
        connection.execute(insert(Conversation), row)


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Any:
    yield
    site.ask("PUT", RETENTION, {"days": None, "file_days": None, "file_groups": {}})


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_it_is_set_and_told(visits: Visits, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    card = admin.locator("[data-retention-form]")
    everybody = card.get_by_role("group", name=say("js.admin.retention_everybody"))
    everybody.get_by_label(say("retention.rule")).select_option("days")
    expect_no_fault(admin)
    everybody.get_by_label(say("retention.days")).fill("3650")
    everybody.get_by_label(say("retention.file_rule")).select_option("days")
    everybody.get_by_label(say("retention.file_days")).fill("3649")
    group = card.get_by_role("group").nth(1)
    expect(group.get_by_label(say("retention.file_rule"))).to_have_value("site")
    group.get_by_label(say("retention.file_rule")).select_option("good")
    card.get_by_role("button", name=say("base.save")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.retention_saved"))
    expect(group.get_by_label(say("retention.file_rule"))).to_have_value("good")
    group.get_by_label(say("retention.file_rule")).select_option("site")
    with admin.expect_response("**/settings/retention") as saved:
        card.get_by_role("button", name=say("base.save")).click()
    assert saved.value.ok
    expect(admin.locator(".toast").last).to_contain_text(say("js.admin.retention_saved"))
    assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth")

    person = visits.open("/", locale=locale, scheme=scheme, viewport=viewport)
    expect(person.locator("[data-welcome]")).to_contain_text(say("chat.kept_days", count=3650))
    expect(person.locator("[data-welcome]")).to_contain_text(say("chat.file_days", count=3649))
    assert person.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect_no_fault(person)


def test_what_would_go_is_told_first(look: Look, visits: Visits, site: Site) -> None:
    say = look.say
    chat = Chat(look.open(visits, "/"), say)
    chat.ask("Old words.")
    old = chat.page.url.rpartition("/")[2]
    with rows_of(site) as connection:
        connection.execute(update(Conversation).where(Conversation.id == old).values(updated_at=LONG_AGO))

    admin = look.open(visits, "/admin/settings")
    card = admin.locator("[data-retention-form]")
    everybody = card.get_by_role("group", name=say("js.admin.retention_everybody"))
    everybody.get_by_label(say("retention.rule")).select_option("days")
    everybody.get_by_label(say("retention.days")).fill("3650")
    card.get_by_role("button", name=say("base.save")).click()
    asked = admin.get_by_role("alertdialog")
    expect(asked).to_contain_text(say("js.admin.retention_conversations", count=1, people=1))
    asked.get_by_role("button", name=say("base.cancel")).click()
    assert site.ask("GET", "/api/admin/settings")["retention"]["days"] is None
    card.get_by_role("button", name=say("base.save")).click()
    asked.get_by_role("button", name=say("js.admin.retention_action")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.retention_saved"))
    assert site.ask("GET", "/api/admin/settings")["retention"]["days"] == 3650
    site.ask("PUT", "/api/admin/settings/retention", {"days": None, "groups": {}, "audit_days": None})
    site.ask("DELETE", f"/api/conversations/{old}")


def test_a_groups_row_says_for_how_long_and_leads_to_where_that_is_set(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, f"Keepers {look.locale}"
    month, year = DAYS[look.locale].format(30), DAYS[look.locale].format(365)
    group = site.ask("POST", "/api/admin/groups", {"name": name})["id"]
    page = look.open(visits, "/admin/groups")
    row = page.locator(f"[data-id='{group}']")
    row.get_by_role("link", name=say("js.admin.kept_talks", time=say("js.admin.kept_for_good")), exact=True).click()
    here = page.locator("[data-retention-form]").get_by_role("group", name=name)
    expect(here.get_by_label(say("retention.rule"))).to_be_focused()
    expect(here).to_be_in_viewport()
    look.expect_no_fault(page)
    for kind, days in (("rule", "days"), ("file_rule", "file_days")):
        here.get_by_label(say(f"retention.{kind}")).select_option("days")
        here.get_by_label(say(f"retention.{days}")).fill("365" if kind == "rule" else "30")
    page.locator("[data-retention-form]").get_by_role("button", name=say("base.save")).click()
    expect(page.locator(".toast")).to_contain_text(say("js.admin.retention_saved"))

    page.goto("/admin/groups")
    told = say("js.admin.kept_talks_and_files", time=year, files=month)
    expect(row.get_by_role("link", name=told, exact=True)).to_be_visible()
    everybody = page.locator(f"[data-id='{DEFAULT_GROUP_ID}']")
    expect(everybody.get_by_role("link")).to_contain_text([say("js.admin.kept_for_good"), month])
    look.expect_no_fault(page)
    row.get_by_role("link", name=say("js.admin.kept_requests", time=month), exact=True).click()
    own = page.get_by_role("dialog", name=say("requests.keep")).get_by_label(name)
    expect(own).to_be_focused()
    own.fill("365")
    page.get_by_role("dialog").get_by_role("button", name=say("base.save")).click()
    expect(page.get_by_role("status")).to_have_text(say("js.requests.kept", count="30"))
    page.goto("/admin/groups")
    expect(row.get_by_role("link", name=say("js.admin.kept_requests", time=year), exact=True)).to_be_visible()
    site.ask("DELETE", f"/api/admin/groups/{group}")


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_file_that_is_no_longer_kept_is_named(
    visits: Visits, site: Site, script: ScriptedUpstream, locale: str, scheme: Scheme, viewport: Any
) -> None:
    """And told as missing where its question is asked in other words."""
    say = words(locale)
    chat = Chat(visits.open("/", locale=locale, scheme=scheme, viewport=viewport), say)
    attach(chat, picture(), pdf())
    chat.ask("What is in them?")
    with rows_of(site) as connection:
        connection.execute(update(KeptFile).values(absent="expired", digest=KeptFile.id, text=""))
        connection.execute(delete(FilePiece))
    chat.page.reload()
    files = sent(chat.question())
    expect(files.get_by_text(say("js.files.expired"))).to_have_count(2)
    expect(files.get_by_text("board.png")).to_be_visible()
    expect(files.get_by_role("link")).to_have_count(0)
    expect(files.get_by_role("img")).to_have_count(0)
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect_no_fault(chat.page)

    chat.act(chat.question(), "edit").click()
    editor = chat.page.locator(".editor")
    missing = say("js.files.not_sent", names=say("js.files.and").join(["board.png", "report.pdf"]))
    expect(editor.get_by_text(missing)).to_be_visible()
    expect(editor.get_by_role("listitem")).to_have_count(0)
    expect_no_fault(chat.page)
    editor.get_by_role("textbox").fill("Say it without them.")
    editor.get_by_role("button", name=say("chat.send"), exact=True).click()
    chat.wait_until_answered()
    assert script.journal.chats[-1].body["messages"] == [{"role": "user", "content": "Say it without them."}]
    expect(chips(chat)).to_have_count(0)


def test_what_somebody_would_lose_by_another_group_is_told_first(look: Look, visits: Visits, site: Site) -> None:
    say, name, pupil = look.say, f"Brief {look.locale}", f"mover {look.locale}"
    brief = site.ask("POST", "/api/admin/groups", {"name": name})["id"]
    person = site.ask("POST", "/api/admin/users", {"username": pupil, "password": "copper window mountain"})["user"]
    site.ask("PUT", RETENTION, {"days": None, "groups": {brief: 3650}})
    old_words_of(site, person["id"])
    page = look.open(visits, "/admin/users?q=mover")
    row = page.get_by_role("row").filter(has_text=pupil)
    for answer in ("base.cancel", "js.admin.retention_move_action"):
        if answer == "base.cancel":
            page.get_by_role("button", name=say("js.admin.actions_for", name=pupil)).click()
            page.locator("[data-row-menu]").get_by_text(say("admin.move_to_group")).click()
        move = page.get_by_role("dialog", name=say("js.admin.move_user", name=pupil))
        move.get_by_label(say("admin.group")).select_option(label=name)
        move.get_by_role("button", name=say("base.save")).click()
        asked = page.get_by_role("alertdialog")
        expect(asked).to_contain_text(say("js.admin.retention_keeps_less"))
        expect(asked).to_contain_text(say("js.admin.retention_conversations", count=1, people=1))
        look.expect_no_fault(page)
        expect(row).to_contain_text(say("admin.everyone"))
        asked.get_by_role("button", name=say(answer)).click()
        expect(asked).to_be_hidden()
    expect(row).to_contain_text(name)

    site.ask("PUT", RETENTION, {"days": 3650, "groups": {brief: None}, "confirmed": True})
    old_words_of(site, person["id"])
    page.goto("/admin/groups")
    page.get_by_role("button", name=say("js.admin.delete_group", name=name)).click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.delete"), exact=True).click()
    expect(page.get_by_role("alertdialog")).to_contain_text(say("js.admin.retention_conversations", count=1, people=1))
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.retention_move_action")).click()
    expect(page.get_by_role("listitem").filter(has_text=name)).to_be_hidden()
    site.ask("DELETE", f"/api/admin/users/{person['id']}")
