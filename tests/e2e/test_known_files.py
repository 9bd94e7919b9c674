"""What an assistant knows, in its form: brought in, listed, taken out again, had back; and told when it is asked."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Locator, Page, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support import files
from tests.support.assisted import ASSISTANTS, TUTOR
from tests.support.scripted_upstream import Answer, ScriptedUpstream

SHARED = "/api/admin/assistants"
LOOKS = [("en", WIDE), ("zh", PHONE)]
RULES: FilePayload = {"name": "rules.txt", "mimeType": "text/plain", "buffer": b"The library opens at nine."}
SHELVES = "\n\n".join(f"Shelf {number} holds {'many books about ' * 30}thing{number}." for number in range(400))
MUCH: FilePayload = {"name": "shelves.txt", "mimeType": "text/plain", "buffer": SHELVES.encode()}
say = words("en")
pytestmark = pytest.mark.browser


@pytest.fixture
def kept(site: Site) -> Iterator[None]:
    """Whatever is made goes."""
    yield
    for path in (ASSISTANTS, SHARED):
        for each in site.ask("GET", path)["assistants"]:
            site.ask("DELETE", f"{path}/{each['id']}")


def known(page: Page) -> Locator:
    return page.get_by_role("dialog").locator("[data-known-list] > li")


def bring(page: Page, *payloads: FilePayload) -> None:
    expect(page.get_by_role("dialog")).to_be_visible()
    page.locator("[data-known-input]").set_input_files(list(payloads))


def photograph(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_documents_are_brought_in_kept_and_told(
    locale: str, viewport: ViewportSize, visits: Visits, script: ScriptedUpstream
) -> None:
    say, page = words(locale), visits.open("/assistants", locale=locale, viewport=viewport)
    page.get_by_role("button", name=say("assistants.new")).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=name]").fill("Librarian")
    dialog.locator("[name=instructions]").fill("Be brief.")
    bring(page, RULES, {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""})
    expect(known(page)).to_have_count(2)
    expect(known(page).filter(has_text="rules.txt")).to_contain_text("26 B")
    expect(known(page).filter(has_text="empty.txt")).to_contain_text(say("js.files.empty"))
    expect(dialog.get_by_text(say("js.assistants.known_whole", tokens="20"))).to_be_visible()
    known(page).filter(has_text="empty.txt").get_by_role(
        "button", name=say("js.files.remove", name="empty.txt")
    ).click()
    bring(page, {"name": "picture.png", "mimeType": "image/png", "buffer": files.picture()})
    expect(known(page).filter(has_text="picture.png")).to_contain_text(say("js.assistants.known_picture"))
    expect_no_fault(page, locale)
    dialog.locator("[data-known]").scroll_into_view_if_needed()
    photograph(page, f"form-{locale}")
    dialog.get_by_role("button", name=say("base.save")).click()
    row = page.locator("[data-assistant-list] > li")
    expect(row).to_have_count(1)
    row.locator("[data-edit]").click()
    expect(known(page)).to_have_count(1)
    link = known(page).get_by_role("link", name="rules.txt")
    with page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes() == RULES["buffer"]
    dialog.get_by_role("button", name=say("base.cancel")).click()
    row.locator("[data-begin]").click()
    chat = Chat(page, say)
    script.script(Answer("At nine."))
    chat.ask("When does it open?")
    told = '<document name="rules.txt">\nThe library opens at nine.\n</document>'
    assert script.journal.chats[-1].body["messages"][0]["content"] == f"Be brief.\n\n{told}"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_much_is_told_in_passages_and_counted_so(
    locale: str, viewport: ViewportSize, visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    say, made = words(locale), site.ask("POST", ASSISTANTS, TUTOR)["id"]
    page = visits.open("/assistants", locale=locale, viewport=viewport)
    page.locator("[data-edit]").click()
    bring(page, RULES, MUCH)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-known] [data-slot=told]")).to_contain_text("12,000")
    dialog.locator("[data-known]").scroll_into_view_if_needed()
    photograph(page, f"much-{locale}")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    page.goto(f"/?assistant={made}")
    chat = Chat(page, say)
    chat.text.fill("Where is thing77?")
    page.locator("[data-context]").click()
    expect(page.get_by_role("dialog", name=say("chat.context"))).to_contain_text("12,0")
    photograph(page, f"meter-{locale}")
    page.keyboard.press("Escape")
    chat.ask("Where is thing77?")
    asked = script.journal.chats[-1].body["messages"]
    assert asked[0]["content"] == TUTOR["instructions"]
    assert "thing77." in asked[1]["content"]
    assert "rules.txt" not in asked[1]["content"]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_administrators_have_one_for_everybody_know(
    locale: str, viewport: ViewportSize, visits: Visits, site: Site
) -> None:
    say, page = words(locale), visits.open("/admin/assistants", locale=locale, viewport=viewport)
    made = site.ask("POST", SHARED, TUTOR)["id"]
    page.reload()
    for count in (1, 2):
        page.locator("[data-edit]").click()
        bring(page, RULES if count == 1 else MUCH)
        expect(known(page).filter(has_text="token")).to_have_count(count)
        expect(known(page).get_by_role("link")).to_have_count(0)
        expect_no_fault(page, locale)
        page.get_by_role("dialog").locator("[data-known]").scroll_into_view_if_needed()
        photograph(page, f"shared-{locale}-{count}")
        page.get_by_role("dialog").get_by_role("button", name=say("base.save")).click()
        expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("[data-edit]").click()
    remove = known(page).get_by_role("button", name=say("js.files.remove", name="rules.txt"))
    remove.focus()
    page.keyboard.press("Enter")
    expect(known(page).get_by_role("button")).to_be_focused()
    page.get_by_role("dialog").get_by_role("button", name=say("base.save")).click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert [each["name"] for each in site.ask("GET", f"{SHARED}/{made}")["files"]] == ["shelves.txt"]


@pytest.mark.usefixtures("kept")
def test_whoever_changes_other_fields_leaves_what_somebody_else_had_it_know(visits: Visits, site: Site) -> None:
    page = visits.open("/admin/assistants")
    made = site.ask("POST", SHARED, TUTOR)["id"]
    other = visits.open("/admin/assistants")
    page.reload()
    for each in (page, other):
        each.locator("[data-edit]").click()
        expect(each.get_by_role("dialog")).to_be_visible()
    bring(other, RULES)
    expect(known(other).filter(has_text="token")).to_have_count(1)
    other.locator('[name="name"]').fill("Librarian")
    page.locator('[name="instructions"]').fill("Be kind.")
    for each in (other, page):
        each.get_by_role("dialog").get_by_role("button", name=say("base.save")).click()
        expect(each.get_by_role("dialog")).to_be_hidden()
    saved = site.ask("GET", f"{SHARED}/{made}")
    assert saved["instructions"] == "Be kind."
    assert [each["name"] for each in saved["files"]] == ["rules.txt"]


@pytest.mark.usefixtures("kept")
def test_no_more_than_ten_and_none_twice(visits: Visits) -> None:
    page = visits.open("/assistants")
    page.get_by_role("button", name=say("assistants.new")).click()
    many: list[FilePayload] = [
        {"name": f"{number}.txt", "mimeType": "text/plain", "buffer": f"words {number}".encode()}
        for number in range(11)
    ]
    bring(page, *many[:2])
    expect(known(page).filter(has_text="token")).to_have_count(2)
    bring(page, many[0])
    expect(page.get_by_text(say("js.files.twice", name="0.txt"))).to_be_visible()
    expect(known(page)).to_have_count(2)
    bring(page, *many[2:])
    expect(page.get_by_text(say("js.assistants.known_most", most=10))).to_be_visible()
    expect(known(page).filter(has_text="token")).to_have_count(10)
    page.get_by_role("dialog").get_by_role("button", name=say("base.cancel")).click()
    page.get_by_role("button", name=say("assistants.new")).click()
    expect(known(page)).to_have_count(0)
