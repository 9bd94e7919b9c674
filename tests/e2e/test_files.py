"""Files are chosen, dropped or pasted, and read by the server, or refused."""

import re

import pytest
from playwright.sync_api import Route, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import (
    NOTE_DROP,
    UPLOADS,
    WAS_SEEN,
    Chosen,
    attach,
    carry,
    chip,
    chips,
    choose,
    pdf,
    picture,
    pictures_of,
    remove,
    sent,
    text,
    wait_line,
    words_of,
)
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import MISNAMED
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support import files
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
# What a page uploads is a part of its memory, which the browser does not tell.
NOTE_BODIES = """() => {
  const { send } = XMLHttpRequest.prototype
  XMLHttpRequest.prototype.send = function (body) {
    window.lastBody = body
    send.call(this, body)
  }
}"""
LAST_BODY = """async () => {
  const { width, height } = await createImageBitmap(lastBody)
  return { type: lastBody.type, size: lastBody.size, width, height }
}"""

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_what_is_chosen_is_sent_with_the_words_and_stays_in_the_thread(
    visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    attach(chat, pdf(), picture("تقرير.png"))
    expect(chip(chat, "report.pdf")).to_contain_text(re.compile(r"\d (个 )?token"))
    expect(chip(chat, "تقرير.png").locator("img")).to_be_visible()
    expect_no_fault(chat.page, locale)
    assert chat.page.evaluate(MISNAMED) == []
    chat.page.set_viewport_size(viewport)
    chat.ask("What do they say?")
    expect(chips(chat)).to_have_count(0)
    assert "The harvest was good." in words_of(script)
    assert "report.pdf" in words_of(script)
    assert words_of(script).endswith("What do they say?")
    assert len(pictures_of(script)) == 1
    image = chat.question().get_by_role("img", name=chat.say("js.files.picture", name="تقرير.png"))
    for _ in ("as it was sent", "as it is stored"):
        expect(sent(chat.question())).to_have_count(2)
        expect(sent(chat.question()).nth(1).get_by_role("link", name="report.pdf")).to_be_visible()
        expect(image).to_have_js_property("naturalWidth", 640)
        expect(image).to_have_attribute("width", "640")
        chat.page.reload()
    expect_no_fault(chat.page, locale)
    chat.page.set_viewport_size(viewport)
    image.click()
    dialog = chat.page.get_by_role("dialog", name="تقرير.png")
    expect(dialog.get_by_role("img")).to_have_js_property("naturalWidth", 640)
    expect_no_fault(chat.page, locale)
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with chat.page.expect_download() as download:
        sent(chat.question()).nth(1).get_by_role("link").click()
    assert download.value.suggested_filename == "report.pdf"
    assert download.value.path().read_bytes() == pdf().content


def test_files_alone_are_a_message(chat: Chat, script: ScriptedUpstream) -> None:
    expect(chat.send_button).to_be_disabled()
    attach(chat, text())
    expect(chat.send_button).to_be_enabled()
    chat.send_button.click()
    chat.wait_until_answered()
    assert "Bring the lamp." in words_of(script)
    expect(sent(chat.question())).to_have_count(1)
    expect(chat.questions.first).to_be_hidden()
    expect(chat.act(chat.question(), "copy_question")).to_be_hidden()


def test_they_are_dropped_anywhere_in_the_chat(chat: Chat) -> None:
    drop = chat.page.get_by_text(say("chat.drop"))
    expect(drop).to_be_hidden()
    chat.page.evaluate(NOTE_DROP)
    assert carry(chat.page, ["dragenter", "dragover"], "[data-thread]", text())
    wait_until(lambda: chat.page.evaluate(WAS_SEEN))
    expect(drop).to_be_hidden()  # it was taken elsewhere
    assert carry(chat.page, ["dragover", "drop"], "[data-sidebar]", text(), pdf())
    expect(chips(chat)).to_have_count(2)
    expect(drop).to_be_hidden()
    expect(chat.text).to_be_focused()
    assert not carry(chat.page, ["dragover"], "[data-thread]", plain="words"), "words are the browser's business"


def test_they_are_pasted_and_words_with_their_picture_are_words(chat: Chat) -> None:
    assert carry(chat.page, ["paste"], "[data-composer-text]", picture("image.png"))
    expect(chips(chat)).to_have_count(1)
    table = {"plain": "1\t2", "html": "<table></table>"}
    assert not carry(chat.page, ["paste"], "[data-composer-text]", picture("table.png"), **table)
    assert not carry(chat.page, ["paste"], "[data-search-field]", picture("elsewhere.png"))
    assert carry(chat.page, ["paste"], "body", text())
    expect(chips(chat)).to_have_count(2)


def test_sending_waits_for_what_is_on_its_way(chat: Chat, script: ScriptedUpstream) -> None:
    held = Held(chat.page, UPLOADS)
    choose(chat, text())
    chat.text.fill("Read it.")
    held.wait()
    expect(chip(chat, "notes.txt").get_by_role("progressbar")).to_be_attached()
    expect(chat.send_button).to_be_disabled()
    expect(chat.send_button).to_have_attribute("title", say("js.files.wait"))
    expect(wait_line(chat)).to_be_visible()
    chat.text.press("Enter")
    expect(chat.page.locator(".toast")).to_contain_text(say("js.files.wait"))
    expect(chat.text).to_have_value("Read it.")
    held.let_go()
    expect(wait_line(chat)).to_be_hidden()
    chat.text.press("Enter")
    chat.wait_until_answered()
    assert "Bring the lamp." in words_of(script)


def test_one_is_called_off(chat: Chat) -> None:
    held = Held(chat.page, UPLOADS)
    choose(chat, pdf())
    held.wait()
    cancel = chat.page.get_by_role("button", name=say("js.files.cancel", name="report.pdf"), exact=True)
    cancel.focus()
    with chat.page.expect_event("requestfailed", lambda request: "/api/files" in request.url):
        Keyboard(chat.page).press("Enter")
    expect(chips(chat)).to_have_count(0)
    expect(chat.text).to_be_focused()
    expect(wait_line(chat)).to_be_hidden()


def test_one_that_is_removed_stays_for_other_drafts_and_the_focus_stays_near(chat: Chat, site: Site) -> None:
    attach(chat, text("first.txt", "1"), text("second.txt", "2"))
    remove(chat, "first.txt").focus()
    Keyboard(chat.page).press("Enter")
    expect(remove(chat, "second.txt")).to_be_focused()
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.files.removed"))
    expect(chips(chat)).to_have_count(1)
    assert site.rows("SELECT name FROM files WHERE name = 'first.txt'") == [{"name": "first.txt"}]


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_one_that_is_refused_says_why(visits: Visits, locale: str) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    choose(chat, Chosen("locked.pdf", "application/pdf", files.pdf("secret", password="x")), text())
    locked = chip(chat, "locked.pdf")
    expect(locked).to_contain_text(chat.say("error.file_protected"))
    expect(locked.get_by_role("button")).to_have_count(1)
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")
    expect(chat.send_button).to_be_enabled()
    expect_no_fault(chat.page, locale)
    locked.get_by_role("button").click()
    expect(chips(chat)).to_have_count(1)


def test_what_the_page_itself_knows_is_not_sent(chat: Chat) -> None:
    uploads: list[str] = []
    chat.page.on("request", lambda request: uploads.append(request.url) if "/api/files" in request.url else None)
    choose(chat, Chosen("none.txt", "text/plain", b""), Chosen("huge.bin", "", bytes(20 * 1024 * 1024 + 1)))
    expect(chip(chat, "none.txt")).to_contain_text(say("js.files.empty"))
    expect(chip(chat, "huge.bin")).to_contain_text(say("js.files.too_large", limit=20))
    assert uploads == []


def test_one_whose_line_was_lost_is_tried_again(chat: Chat) -> None:
    def fail(route: Route) -> None:
        route.abort("connectionreset")

    chat.page.route(UPLOADS, fail)
    choose(chat, text())
    again = chip(chat, "notes.txt").get_by_role("button", name=say("js.files.again", name="notes.txt"))
    expect(chip(chat, "notes.txt")).to_contain_text(say("js.error.offline"))
    chat.page.unroute(UPLOADS, fail)
    again.click()
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")
    expect(again).to_be_hidden()


def test_one_whose_line_was_lost_stays_when_its_message_goes_without_it(chat: Chat, script: ScriptedUpstream) -> None:
    def fail(route: Route) -> None:
        route.abort("connectionreset")

    chat.page.route(UPLOADS, fail)
    choose(chat, text())
    refused = chip(chat, "notes.txt")
    expect(refused).to_have_attribute("data-state", "refused")
    chat.ask("First?")
    expect(sent(chat.question())).to_have_count(0)
    expect(refused).to_have_attribute("data-state", "refused")
    chat.page.unroute(UPLOADS, fail)
    refused.get_by_role("button", name=say("js.files.again", name="notes.txt")).click()
    expect(refused).to_have_attribute("data-state", "here")
    chat.ask("Second?")
    expect(chips(chat)).to_have_count(0)
    assert "Bring the lamp." in words_of(script)


def test_the_same_content_is_attached_once(chat: Chat) -> None:
    attach(chat, text())
    choose(chat, text("copy of notes.txt"))
    expect(chat.page.locator(".toast")).to_contain_text(say("js.files.twice", name="copy of notes.txt"))
    expect(chips(chat)).to_have_count(1)


def test_no_more_than_ten_go_with_a_message_and_nothing_overlaps_on_a_phone(visits: Visits) -> None:
    chat = Chat(visits.open("/", locale="zh", viewport=PHONE), words("zh"))
    choose(chat, *[text(f"一份名字很长的文件，第 {number} 份.txt", f"{number}") for number in range(11)])
    expect(chat.page.locator(".toast")).to_contain_text(chat.say("js.files.too_many", most=10))
    expect(chips(chat)).to_have_count(10)
    expect(wait_line(chat)).to_be_hidden()
    expect_no_fault(chat.page, "zh")
    chat.page.set_viewport_size(PHONE)
    chat.text.fill("什么？")
    chips(chat).last.scroll_into_view_if_needed()
    boxes = [each.bounding_box() for each in (chips(chat).last, chat.text, chat.send_button)]
    assert all(boxes)
    for box in boxes:
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] + box["height"] <= PHONE["height"]


def test_a_large_photograph_is_made_smaller_before_it_goes(chat: Chat, script: ScriptedUpstream) -> None:
    photograph = Chosen("IMG_1.jpg", "image/jpeg", files.photograph((3000, 2000)))
    chat.page.evaluate(NOTE_BODIES)
    attach(chat, photograph)
    going = chat.page.evaluate(LAST_BODY)
    assert (going["type"], going["width"], going["height"]) == ("image/jpeg", 1365, 2048), "upright, as it was taken"
    assert going["size"] < len(photograph.content)
    chat.ask("What is it?")
    assert pictures_of(script)[0].startswith("data:image/jpeg;base64,")


def test_a_large_drawing_stays_without_loss_where_it_is_small(chat: Chat) -> None:
    drawing = Chosen("plan.png", "image/png", files.flat("PNG", (4096, 1024)))
    chat.page.evaluate(NOTE_BODIES)
    attach(chat, drawing)
    going = chat.page.evaluate(LAST_BODY)
    assert (going["type"], going["width"], going["height"]) == ("image/png", 3072, 768)
    small = picture("small.png")
    attach(chat, small)
    assert chat.page.evaluate(LAST_BODY)["size"] == len(small.content), "it goes as it is"
