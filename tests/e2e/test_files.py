"""Files in messages: chosen, dropped or pasted, read by the server, sent with the question, and seen in the thread."""

import re
from typing import Any

import pytest
from playwright.sync_api import FileChooser, FilePayload, Locator, Route, ViewportSize, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import (
    UPLOADS,
    Chosen,
    attach,
    carry,
    chip,
    chips,
    choose,
    pdf,
    picture,
    remove,
    sent,
    text,
)
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import MISNAMED
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.waiting import act, begin, expect_conversation, stop, waiting
from tests.e2e.words import words
from tests.support import files
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD

say = words("en")
BLIND = "deepseek-v4-pro"
MODULE = "**/static/*/js/chat/attaching.js"
# What a page leaves that ends while it sends its files with these words.
CRASH = """(text) => {
  const place = Object.keys(sessionStorage).find(name => name.startsWith("files:"))
  const files = JSON.parse(sessionStorage.getItem(place))
  sessionStorage.removeItem(place)
  const sending = { text, files, idempotencyKey: "crashed", isBack: false }
  sessionStorage.setItem(place.replace("files", "unsent"), JSON.stringify(sending))
}"""
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


def parts(script: ScriptedUpstream) -> list[dict[str, Any]]:
    """What the provider was given as the last question: its parts."""
    content = script.journal.chats[-1].body["messages"][-1]["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def words_of(script: ScriptedUpstream) -> str:
    return "\n".join(each["text"] for each in parts(script) if each["type"] == "text")


def pictures_of(script: ScriptedUpstream) -> list[str]:
    return [each["image_url"]["url"] for each in parts(script) if each["type"] == "image_url"]


def wait_line(chat: Chat) -> Locator:
    return chat.page.locator("[data-attached-wait]")


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
    assert carry(chat.page, ["dragenter", "dragover"], "[data-thread]", text())
    expect(drop).to_be_visible()
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


def test_one_that_is_removed_is_gone_from_the_server_and_the_focus_stays_near(chat: Chat, site: Site) -> None:
    attach(chat, text("first.txt", "1"), text("second.txt", "2"))
    remove(chat, "first.txt").focus()
    with chat.page.expect_response(lambda response: response.request.method == "DELETE") as deleted:
        Keyboard(chat.page).press("Enter")
    assert deleted.value.status == 204
    expect(remove(chat, "second.txt")).to_be_focused()
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.files.removed"))
    assert site.rows("SELECT name FROM files WHERE name = 'first.txt'") == []


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
    assert (going["type"], going["width"], going["height"]) == ("image/png", 2048, 512)
    small = picture("small.png")
    attach(chat, small)
    assert chat.page.evaluate(LAST_BODY)["size"] == len(small.content), "it goes as it is"


def test_whoever_reloads_has_them_still_but_for_those_that_are_gone(chat: Chat, site: Site) -> None:
    attach(chat, text("stays.txt", "stays"), text("goes.txt", "goes"))
    chat.text.fill("a draft")
    (gone,) = site.rows("SELECT id FROM files WHERE name = 'goes.txt'")
    site.ask("DELETE", f"/api/files/{gone['id']}")
    chat.page.reload()
    expect(chat.page.locator(".toast")).to_contain_text(say("js.files.gone", names="goes.txt"))
    expect(chips(chat)).to_have_count(1)
    expect(chip(chat, "stays.txt")).to_have_attribute("data-state", "here")
    expect(chat.text).to_have_value("a draft")
    expect(chat.send_button).to_be_enabled()


def test_each_conversation_has_its_own(chat: Chat) -> None:
    chat.ask("First?")
    attach(chat, text())
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).first.click()
    expect(chips(chat)).to_have_count(0)
    chat.page.go_back()
    expect(chips(chat)).to_have_count(1)


def test_what_was_attached_where_the_conversation_is_gone_waits_in_a_new_one(chat: Chat, site: Site) -> None:
    chat.ask("First?")
    attach(chat, text("sent.txt", "sent"))
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")
    chat.send("Is it there?")
    expect(chat.problem).to_contain_text(say("js.conversation_gone_kept"))
    expect(chat.text).to_have_value("Is it there?")
    expect(chip(chat, "sent.txt")).to_be_visible()
    chat.text.press("Enter")
    expect(sent(chat.question())).to_have_count(1)
    chat.wait_until_answered()


@pytest.mark.parametrize("draft", ["", "a draft"])
def test_what_was_attached_waits_in_a_new_one_where_the_page_finds_no_conversation(
    chat: Chat, site: Site, draft: str
) -> None:
    chat.ask("First?")
    attach(chat, text())
    chat.text.fill(draft)
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")
    chat.page.reload()
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.text).to_have_value(draft)
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")


def test_what_was_attached_to_one_that_the_list_finds_gone_is_seen_in_the_new_one(chat: Chat, site: Site) -> None:
    chat.ask("Is it still there?")
    attach(chat, text())
    gone = chat.conversation_id
    chat.page.goto("/")
    expect(chips(chat)).to_have_count(0)
    site.ask("DELETE", f"/api/conversations/{gone}")
    chat.choose("Is it still there?", say("js.pin"))
    expect(chat.page.locator(".toast")).to_contain_text(say("js.conversation_gone_kept"))
    expect(chip(chat, "notes.txt")).to_be_visible()


def test_what_a_page_was_sending_comes_back_though_the_next_one_cannot_show_files(
    chat: Chat, visits: Visits, script: ScriptedUpstream
) -> None:
    attach(chat, text())
    chat.page.evaluate(CRASH, "Is it sent?")
    chat.page.route(MODULE, lambda route: route.fulfill(status=404))
    chat.page.reload()
    expect(chat.text).to_have_value("Is it sent?")
    expect(chat.page.locator(".toast")).to_contain_text(say("js.error.not_loaded"))
    chat.page.unroute_all()
    chat.page.reload()
    expect(chat.text).to_have_value("Is it sent?")
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")
    chat.enter()
    expect(sent(chat.question())).to_have_count(1)
    chat.wait_until_answered()
    assert len(script.journal.chats) == 1
    problems = visits.watch(chat.page).problems
    problems[:] = [problem for problem in problems if "/static/" not in problem]  # what the test took away


def test_a_model_that_does_not_see_is_told_of_before_and_what_was_refused_comes_back(
    chat: Chat, script: ScriptedUpstream
) -> None:
    attach(chat, picture(), text())
    note = chat.page.get_by_role("status").filter(has_text="deepseek-flash")
    expect(note).to_be_hidden()
    seeing = chat.models.input_value()
    chat.models.select_option(label=BLIND)
    expect(note).to_have_text(re.compile(re.escape(say("js.files.sightless", model=BLIND, names="deepseek-flash"))))
    expect_no_fault(chat.page)
    chat.page.set_viewport_size(WIDE)
    chat.send("What is on it?")
    expect(chat.problem).to_be_visible()
    expect(chat.text).to_have_value("What is on it?")
    expect(chips(chat)).to_have_count(2)
    assert script.journal.chats == []
    chat.page.get_by_role("button", name=say("js.files.use", name="deepseek-flash"), exact=True).click()
    expect(chat.models).to_have_value(seeing)
    expect(note).to_be_hidden()
    chat.text.press("Enter")
    chat.wait_until_answered()
    assert len(pictures_of(script)) == 1
    assert "Bring the lamp." in words_of(script)


def test_they_wait_with_their_message_and_come_back_with_it(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script)
    attach(chat, text())
    chat.send("Second?")
    expect(waiting(chat)).to_have_text(["Second?"])
    expect(chips(chat)).to_have_count(0)
    items = chat.page.locator("[data-waiting] li[data-key]")
    expect(sent(items)).to_have_count(1)
    act(chat, "back").click()
    expect(chip(chat, "notes.txt")).to_be_visible()
    expect(chat.text).to_have_value("Second?")
    chat.text.press("Enter")
    expect(sent(items)).to_have_count(1)
    first.let_go()
    expect_conversation(chat, "First?", "Second?")
    expect(sent(chat.question(1))).to_have_count(1)
    assert "Bring the lamp." in words_of(script)


def test_what_waits_has_them_after_a_reload(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script)
    attach(chat, text())
    chat.send("Second?")
    expect(waiting(chat)).to_have_text(["Second?"])
    stop(chat)
    chat.page.reload()
    act(chat, "back").click()
    expect(chip(chat, "notes.txt")).to_be_visible()
    expect(chat.text).to_have_value("Second?")


def test_a_question_is_sent_again_with_those_that_stay(chat: Chat, script: ScriptedUpstream) -> None:
    attach(chat, text("lamp.txt"), text("rope.txt", "Bring the rope."))
    chat.ask("What shall I bring?")
    chat.act(chat.question(), "edit").click()
    editor = chat.page.locator(".editor")
    expect(editor.get_by_role("listitem")).to_have_count(2)
    expect_no_fault(chat.page)
    chat.page.set_viewport_size(WIDE)
    editor.get_by_role("button", name=say("js.files.remove", name="lamp.txt")).click()
    expect(editor.get_by_role("button", name=say("js.files.remove", name="rope.txt"))).to_be_focused()
    editor.get_by_role("textbox").press("Enter")
    expect(sent(chat.question())).to_have_count(1)
    chat.wait_until_answered()
    assert "Bring the rope." in words_of(script)
    assert "Bring the lamp." not in words_of(script)
    chat.page.get_by_role("button", name=say("chat.version_before"), exact=True).first.click()
    expect(sent(chat.question())).to_have_count(2)
    chat.act(chat.question(), "edit").click()
    editor.get_by_role("textbox").fill("")
    for name in ("lamp.txt", "rope.txt"):
        editor.get_by_role("button", name=say("js.files.remove", name=name)).click()
    expect(editor.get_by_role("button", name=say("chat.send"), exact=True)).to_be_disabled()


def test_what_was_taken_out_of_a_question_stays_out_after_a_reload(chat: Chat) -> None:
    attach(chat, text("lamp.txt"), text("rope.txt", "Bring the rope."))
    chat.ask("What shall I bring?")
    editor = chat.page.locator(".editor")
    chat.act(chat.question(), "edit").click()
    editor.get_by_role("button", name=say("js.files.remove", name="lamp.txt")).click()
    expect(editor.get_by_role("listitem")).to_have_count(1)
    chat.page.reload()
    chat.act(chat.question(), "edit").click()
    expect(editor.get_by_role("listitem")).to_have_count(1)
    editor.get_by_role("button", name=say("js.files.remove", name="rope.txt")).click()
    chat.page.reload()
    chat.act(chat.question(), "edit").click()
    expect(editor.get_by_role("listitem")).to_have_count(0)
    editor.get_by_role("button", name=say("base.cancel"), exact=True).click()
    chat.act(chat.question(), "edit").click()
    expect(editor.get_by_role("listitem")).to_have_count(2)


def test_another_answer_has_them_too(chat: Chat, script: ScriptedUpstream) -> None:
    attach(chat, text())
    chat.ask("What shall I bring?")
    script.script(Answer("Something else."))
    chat.act(chat.answer, "regenerate").click()
    expect(chat.prose).to_have_text("Something else.")
    assert "Bring the lamp." in words_of(script)


def test_what_they_add_is_part_of_the_context(chat: Chat) -> None:
    attach(chat, text("long.txt", "word " * 5000))
    meter = chat.page.locator("[data-context]")
    expect(meter).to_be_visible()
    meter.click()
    about = chat.page.get_by_role("dialog", name=say("chat.context"))
    expect(about).to_contain_text(re.compile(say("js.files.context", tokens="X").replace("X", r"\d,\d{3}")))
    chat.page.keyboard.press("Escape")
    remove(chat, "long.txt").click()
    expect(meter).to_be_hidden()


def wait_for(chat: Chat, choosers: list[FileChooser], count: int) -> None:
    for _ in range(500):
        if len(choosers) >= count:
            return
        chat.page.wait_for_timeout(20)
    raise AssertionError("no files are asked for")


def test_by_keyboard_and_from_the_palette(chat: Chat) -> None:
    keys = Keyboard(chat.page)
    choosers: list[FileChooser] = []

    def note(chooser: FileChooser) -> None:
        choosers.append(chooser)

    chat.page.on("filechooser", note)  # from the beginning: one that opens at once would be missed
    chat.text.focus()
    keys.go_to(chat.page.get_by_label(say("chat.attach"), exact=True))
    given: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": text().content}
    keys.press("Enter")
    wait_for(chat, choosers, 1)
    choosers[0].set_files(given)
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")
    expect(chat.page.locator("[data-announcer]")).to_contain_text("notes.txt")
    keys.go_to(remove(chat, "notes.txt"), backwards=True)
    keys.press("Enter")
    expect(chips(chat)).to_have_count(0)
    keys.press("Control+k")
    chat.page.locator("[data-palette-field]").fill(say("chat.attach"))
    expect(chat.page.get_by_role("option", name=say("chat.attach"), selected=True)).to_be_visible()
    keys.press("Enter")
    wait_for(chat, choosers, 2)


def test_a_temporary_chat_has_none(visits: Visits) -> None:
    page = visits.open("/?temporary")
    expect(page.locator("[data-composer-text]")).to_be_visible()
    expect(page.locator("[data-attach]")).to_have_count(0)
    assert not carry(page, ["dragover", "drop"], "[data-thread]", text())
    assert not carry(page, ["paste"], "[data-composer-text]", text())


def test_whoever_may_attach_none_has_no_paper_clip(visits: Visits, site: Site) -> None:
    group = site.ask("POST", "/api/admin/groups", {"name": "without files", "file_quota_mb": 0})
    somebody = {"username": "without files", "role": "member", "password": PASSWORD, "group_id": group["id"]}
    site.ask("POST", "/api/admin/users", somebody)
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, say, username="without files", password=PASSWORD)
    expect(page.locator("[data-composer-text]")).to_be_visible()
    expect(page.locator("[data-attach]")).to_have_count(0)


def test_on_paper_stand_their_names(chat: Chat) -> None:
    attach(chat, picture(), pdf())
    chat.ask("Print me.")
    chat.page.emulate_media(media="print")
    expect(sent(chat.question()).get_by_text("board.png")).to_be_visible()
    expect(sent(chat.question()).get_by_role("img")).to_be_hidden()
    expect(sent(chat.question()).get_by_text("report.pdf")).to_be_visible()


def test_whoever_is_shown_the_conversation_by_a_link_sees_their_names(chat: Chat, visits: Visits, site: Site) -> None:
    attach(chat, picture("board.png"), pdf())
    chat.ask("Share me.")
    site.ask("PUT", "/api/admin/settings/sharing", {"mode": "anybody"})
    try:
        made = site.ask("POST", f"/api/conversations/{chat.conversation_id}/shares", {})
        page = visits.open(made["path"], signed_in=False)
        listed = page.get_by_role("list", name=say("chat.files")).get_by_role("listitem")
        assert sorted(listed.all_inner_texts()) == ["board.png", "report.pdf"]
        expect(page.locator(".shared img")).to_have_count(0)
        expect_no_fault(page)
    finally:
        site.ask("PUT", "/api/admin/settings/sharing", {"mode": "off"})
