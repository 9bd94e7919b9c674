"""Files go with their message: to the model, into the thread, with what waits, and where a question is sent again."""

import re

import pytest
from playwright.sync_api import FileChooser, FilePayload, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import (
    attach,
    carry,
    chip,
    chips,
    pdf,
    picture,
    pictures_of,
    remove,
    sent,
    text,
    words_of,
)
from tests.e2e.chat import Chat
from tests.e2e.keyboard import Keyboard
from tests.e2e.site import Site
from tests.e2e.visits import WIDE, Visits
from tests.e2e.waiting import act, begin, expect_conversation, stop, waiting
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD

say = words("en")
BLIND = "deepseek-v4-pro"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


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
    for _ in range(1500):
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
