"""Everything of one's own, with the files, brought in by somebody else: the same again, and shown."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import attach, pdf, picture, sent, text
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.support.exported import without_ids
from tests.support.scripted_upstream import ScriptedUpstream

PASSWORD = "copper window mountain"
LOOKS = [("en", WIDE), ("zh", PHONE)]

pytestmark = pytest.mark.browser


def person(visits: Visits, site: Site, name: str, say: Words, **options: Any) -> Page:
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    page = visits.open("/login", signed_in=False, **options)
    entrance.sign_in(page, say, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def everything(page: Page, place: Path) -> dict[str, bytes]:
    """The zip of all that is theirs, kept there; gives what is in it."""
    page.goto("/account")
    with page.expect_download() as kept:
        page.locator('a[href="/api/me/export"]').click()
    kept.value.save_as(place)
    with zipfile.ZipFile(place) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def contents(files: dict[str, bytes]) -> list[bytes]:
    return sorted(content for name, content in files.items() if name.startswith("files/"))


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_what_is_taken_along_comes_in_elsewhere_with_its_files(
    visits: Visits, site: Site, script: ScriptedUpstream, tmp_path: Path, locale: str, viewport: Any
) -> None:
    say = words(locale)
    look = {"locale": locale, "viewport": viewport}
    chat = Chat(person(visits, site, f"Giver {locale}", say, **look), say)
    attach(chat, picture("照片.png"), pdf(), text())
    chat.ask("What is in them?")
    taken = everything(chat.page, tmp_path / "everything.zip")
    assert len(contents(taken)) == 3

    page = person(visits, site, f"Taker {locale}", say, **look)
    page.goto("/account")
    page.get_by_label(say("portability.import_file"), exact=True).set_input_files(tmp_path / "everything.zip")
    found = page.locator("[data-import-found]")
    expect(found.locator("[data-slot=files]")).to_have_text("3")
    expect(found.locator("[data-slot=named]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect_no_fault(page)
    page.get_by_role("button", name=say("js.portability.bring_in", count="1")).click()
    done = say("js.portability.brought_in", count="1", known="0", refused="0")
    expect(page.locator("[data-import-said]")).to_have_text(done)

    again = everything(page, tmp_path / "again.zip")
    told, was = (without_ids(json.loads(files["conversations.json"])) for files in (again, taken))
    assert told == was
    assert contents(again) == contents(taken)
    page.set_viewport_size(viewport)
    page.goto("/")
    there = Chat(page, say)
    there.go_to(there.list.get_by_role("link").first)
    expect(sent(there.question())).to_have_count(3)
    expect(sent(there.question()).get_by_role("img")).to_be_visible()
    expect(sent(there.question()).get_by_role("link", name="report.pdf")).to_be_visible()


def test_what_only_json_has_is_named(visits: Visits, site: Site, script: ScriptedUpstream, tmp_path: Path) -> None:
    say = words("en")
    chat = Chat(person(visits, site, "Sparing giver", say), say)
    attach(chat, pdf())
    chat.ask("What is in it?")
    taken = everything(chat.page, tmp_path / "everything.zip")
    only = tmp_path / "conversations.json"
    only.write_bytes(taken["conversations.json"])

    page = person(visits, site, "Sparing taker", say)
    page.goto("/account")
    page.get_by_label(say("portability.import_file"), exact=True).set_input_files(only)
    found = page.locator("[data-import-found]")
    expect(found.locator("[data-slot=named]")).to_have_text("1")
    expect(found.locator("[data-slot=files]")).to_be_hidden()
    expect_no_fault(page)
    page.get_by_role("button", name=say("js.portability.bring_in", count="1")).click()
    expect(page.locator("[data-import-said]")).to_be_visible()
    page.set_viewport_size(WIDE)
    page.goto("/")
    there = Chat(page, say)
    there.go_to(there.list.get_by_role("link").first)
    expect(sent(there.question()).get_by_text(say("js.files.left_out"))).to_be_visible()


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_files_of_others_exports_come_with_what_was_read_of_them(
    visits: Visits, site: Site, script: ScriptedUpstream, tmp_path: Path, locale: str, viewport: Any
) -> None:
    say = words(locale)
    moment = "2025-03-01T00:00:00Z"
    read = {"file_name": "report.pdf", "file_type": "pdf", "file_size": 5000, "extracted_content": "Nine lamps."}
    asked: dict[str, Any] = {"uuid": "1", "sender": "human", "text": "What is in it?", "created_at": moment}
    asked |= {"attachments": [read], "files": [{"file_uuid": "u", "file_name": "board.png"}]}
    answered = {"uuid": "2", "sender": "assistant", "text": "Lamps.", "created_at": moment}
    talk = {"uuid": f"files {locale}", "name": "Lamps", "created_at": moment, "updated_at": moment}
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([talk | {"chat_messages": [asked, answered]}]), "utf-8")

    page = person(visits, site, f"Mover {locale}", say, locale=locale, viewport=viewport)
    page.goto("/account")
    page.get_by_label(say("portability.import_file"), exact=True).set_input_files(file)
    found = page.locator("[data-import-found]")
    expect(found.locator("[data-slot=files]")).to_have_text("1")
    expect(found.locator("[data-slot=named]")).to_have_text("1")
    expect_no_fault(page)
    page.get_by_role("button", name=say("js.portability.bring_in", count="1")).click()
    expect(page.locator("[data-import-said]")).to_be_visible()
    page.set_viewport_size(viewport)
    page.goto("/")
    chat = Chat(page, say)
    chat.go_to(chat.list.get_by_role("link").first)
    files = sent(chat.question())
    expect(files.get_by_role("link", name="report.pdf.txt")).to_be_visible()
    expect(files.filter(has_text="board.png").get_by_text(say("js.files.left_out"))).to_be_visible()
    expect_no_fault(page)
    chat.ask("How many?")
    told = script.journal.chats[-1].body["messages"][0]["content"]
    assert "Nine lamps." in told
    assert "[file that is not available: board.png]" in told


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_how_far_everything_is_can_be_seen_and_ended(visits: Visits, site: Site, viewport: Any) -> None:
    page = person(visits, site, f"Waits {viewport['width']}", words("en"), viewport=viewport)
    page.goto("/account")
    part = page.locator("[data-everything]")
    held = Held(page, "**/api/me/export")
    part.get_by_role("link").click()
    held.wait()
    expect(part.get_by_role("progressbar")).to_be_visible()
    expect(part.get_by_role("link")).to_be_hidden()
    expect_no_fault(page)
    part.get_by_role("button", name=words("en")("base.cancel")).click()
    expect(part.get_by_role("link")).to_be_focused()
    expect(part.get_by_role("progressbar")).to_be_hidden()
