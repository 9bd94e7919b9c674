"""A conversation is deleted at once for the eye, and at the server when the time to undo it is over."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.waiting import begin, expect_held, stop
from tests.e2e.words import words
from tests.e2e.written import leave_only
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD

HIDE, SHOW = (
    f"""() => {{
        Object.defineProperty(document, "hidden", {{ value: {hidden}, configurable: true }})
        document.dispatchEvent(new Event("visibilitychange"))
    }}"""
    for hidden in ("true", "false")
)

LATER = 1_000  # milliseconds: the clock of whoever decides is not the server's, and its request takes a moment

say = words("en")

pytestmark = pytest.mark.browser


def exists(site: Site, conversation_id: str) -> bool:
    return bool(site.rows("SELECT id FROM conversations WHERE id = :id", id=conversation_id))


def delete_shown(chat: Chat) -> None:
    """The one on the page, whatever others are called."""
    entry = chat.list.locator("[data-conversation]:has([aria-current=page])")
    entry.hover()
    entry.locator("[data-more]").click()
    chat.menu.get_by_text(chat.say("base.delete")).click()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_undone_it_is_there_again_and_was_never_away(
    visits: Visits, script: ScriptedUpstream, site: Site, locale: str
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=PHONE), words(locale))
    title = f"Keep me {locale}"
    chat.ask(title)
    conversation_id, address = chat.conversation_id, chat.page.url
    chat.page.get_by_role("button", name=chat.say("chat.open_list")).click()
    chat.choose(title, chat.say("base.delete"))
    expect(chat.in_list(title)).to_have_count(0)
    expect(chat.page).to_have_url(f"{site.url}/")
    undo = chat.page.locator(".toast").get_by_role("button", name=chat.say("base.undo"))
    undo.hover()  # it stays for as long as somebody is at it
    box = undo.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    assert exists(site, conversation_id)
    expect_no_violation(chat.page)
    undo.click()
    expect(chat.page).to_have_url(address)
    expect(chat.questions).to_have_text(title)
    expect(chat.in_list(title)).to_have_count(1)
    chat.page.reload()
    expect(chat.questions).to_have_text(title)


def test_the_newest_is_undone_by_keyboard_words_or_conversation(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    keys = chat.page.keyboard
    chat.ask("Take me back")
    chat.choose("Take me back", say("base.delete"))
    expect(chat.in_list("Take me back")).to_have_count(0)  # what is typed before that is no later than it
    chat.text.press_sequentially("some words")
    chat.text.press("Control+a")
    chat.text.press("Delete")
    chat.text.press("Control+z")
    expect(chat.text).to_have_value("some words")
    expect(chat.in_list("Take me back")).to_have_count(0)
    chat.models.focus()
    keys.press("Control+z")
    expect(chat.in_list("Take me back")).to_have_count(1)
    chat.text.press_sequentially(", and more")
    chat.choose("Take me back", say("base.delete"))
    expect(chat.in_list("Take me back")).to_have_count(0)
    chat.text.press("Control+z")
    expect(chat.in_list("Take me back")).to_have_count(1)


def test_what_was_sent_meanwhile_is_no_word_to_take_back(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Bring me back")
    chat.choose("Bring me back", say("base.delete"))
    expect(chat.in_list("Bring me back")).to_have_count(0)
    chat.ask("Sent meanwhile")
    chat.text.press("Control+z")
    expect(chat.in_list("Bring me back")).to_have_count(1)


def test_it_is_deleted_when_the_toast_is_closed(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Close the toast")
    conversation_id = chat.conversation_id
    chat.choose("Close the toast", say("base.delete"))
    chat.page.locator(".toast").get_by_role("button", name=say("base.close_notice")).click()
    wait_until(lambda: not exists(site, conversation_id))
    expect(chat.in_list("Close the toast")).to_have_count(0)


def test_whoever_opens_it_again_has_undone_it(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Come back")
    chat.choose("Come back", say("base.delete"))
    expect(chat.page).to_have_url(f"{site.url}/")
    chat.page.go_back()
    expect(chat.questions).to_have_text("Come back")
    expect(chat.page.locator(".toast")).to_be_hidden()
    expect(chat.in_list("Come back")).to_have_attribute("aria-current", "page")
    # as after ten seconds
    chat.page.evaluate("import('app/chat/deletion.js').then(({ deleteWaiting }) => deleteWaiting())")
    chat.ask("And go on")
    chat.page.reload()
    expect(chat.questions).to_have_text(["Come back", "And go on"])


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_whoever_asks_in_it_elsewhere_has_undone_it(
    visits: Visits, script: ScriptedUpstream, site: Site, locale: str
) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    title = f"Ask elsewhere {locale}"
    chat.ask(title)
    conversation_id = chat.conversation_id
    chat.choose(title, chat.say("base.delete"))
    toast = chat.page.locator(".toast")
    expect(toast).to_be_visible()
    chat.page.wait_for_timeout(LATER)
    list(site.server.chat("And this?", conversation_id=conversation_id))
    toast.get_by_role("button", name=chat.say("base.close_notice")).click()
    expect(toast).to_contain_text(chat.say("error.asked_meanwhile"))
    expect(chat.in_list(title)).to_have_count(1)
    expect(chat.questions).to_have_text([title, "And this?"])
    assert exists(site, conversation_id)


def test_whoever_opens_it_while_the_server_is_told_is_told_that_it_is_gone(
    visits: Visits, script: ScriptedUpstream, site: Site
) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Too late")
    held = Held(chat.page, "**/api/conversations/*")
    chat.choose("Too late", say("base.delete"))
    chat.page.locator(".toast").get_by_role("button", name=say("base.close_notice")).click()
    chat.page.go_back()
    expect(chat.page).to_have_url(re.compile("/c/"))
    held.wait()
    chat.page.wait_for_timeout(500)
    assert [each.request.method for each in held.routes] == ["DELETE"], "it is not asked for meanwhile"
    held.let_go()
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.page).to_have_url(f"{site.url}/")


def test_whoever_goes_back_to_it_on_the_next_page_is_told_that_it_is_gone(
    visits: Visits, script: ScriptedUpstream, site: Site
) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Back to nothing")
    conversation_id = chat.conversation_id
    chat.text.fill("a draft")
    chat.choose("Back to nothing", say("base.delete"))
    expect(chat.page.locator(".toast")).to_be_visible()
    chat.page.reload()
    wait_until(lambda: not exists(site, conversation_id))
    chat.page.go_back()
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.page).to_have_url(f"{site.url}/")
    expect(chat.text).to_have_value("a draft")


def test_what_waits_in_it_goes_with_it_and_comes_back_with_it(
    visits: Visits, script: ScriptedUpstream, site: Site
) -> None:
    chat = Chat(visits.open("/"), say)
    begin(chat, script, "Second?")
    conversation_id = chat.conversation_id
    stop(chat)
    delete_shown(chat)
    chat.page.locator(".toast").get_by_role("button", name=say("base.undo")).click()
    expect_held(chat, script, "Second?")
    delete_shown(chat)
    chat.page.locator(".toast").get_by_role("button", name=say("base.close_notice")).click()
    wait_until(lambda: not exists(site, conversation_id))
    kept = "Object.keys(sessionStorage).filter(name => name.startsWith('waiting'))"
    wait_until(lambda: chat.page.evaluate(kept) == [])  # once the page has heard so
    expect(chat.text).to_have_value("")


def test_it_is_deleted_when_somebody_signs_out(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    site.ask("POST", "/api/admin/users", {"username": "Leaver", "role": "member", "password": PASSWORD})
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, say, username="Leaver", password=PASSWORD)
    chat = Chat(page, say)
    chat.ask("Sign out")
    conversation_id = chat.conversation_id
    chat.choose("Sign out", say("base.delete"))
    page.locator("summary.menu__button").click()
    page.locator("[data-sign-out]").click()
    expect(page.get_by_label(say("auth.username"), exact=True)).to_be_visible()
    assert not exists(site, conversation_id)


def test_on_a_phone_it_is_deleted_when_the_page_is_hidden_and_not_to_be_undone_any_more(
    visits: Visits, script: ScriptedUpstream, site: Site
) -> None:
    chat = Chat(visits.open("/", viewport=PHONE), say)
    chat.ask("Hide the page")
    conversation_id = chat.conversation_id
    chat.page.get_by_role("button", name=chat.say("chat.open_list")).click()
    chat.choose("Hide the page", say("base.delete"))
    expect(chat.page.locator(".toast")).to_be_visible()
    assert exists(site, conversation_id)
    chat.page.evaluate(HIDE)
    expect(chat.page.locator(".toast")).to_be_hidden()
    wait_until(lambda: not exists(site, conversation_id))


def test_whoever_goes_to_another_tab_and_back_can_still_undo_it(
    visits: Visits, script: ScriptedUpstream, site: Site
) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Look elsewhere")
    address, conversation_id = chat.page.url, chat.conversation_id
    chat.choose("Look elsewhere", say("base.delete"))
    undo = chat.page.locator(".toast").get_by_role("button", name=say("base.undo"))
    expect(undo).to_be_visible()
    chat.page.evaluate(HIDE)
    chat.page.wait_for_timeout(1_000)
    chat.page.evaluate(SHOW)
    undo.click()
    expect(chat.page).to_have_url(address)
    assert exists(site, conversation_id)
    chat.choose("Look elsewhere", say("base.delete"))
    expect(undo).to_be_visible()
    chat.page.evaluate(HIDE)
    chat.page.goto("about:blank")  # a tab that is closed behind another
    wait_until(lambda: not exists(site, conversation_id))


def test_it_is_deleted_when_the_page_is_left(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    chat = Chat(visits.open("/"), say)
    chat.ask("Leave the page")
    conversation_id = chat.conversation_id
    chat.choose("Leave the page", say("base.delete"))
    expect(chat.page.locator(".toast")).to_be_visible()
    chat.page.reload()
    expect(chat.text).to_be_visible()
    expect(chat.in_list("Leave the page")).to_have_count(0)
    wait_until(lambda: not exists(site, conversation_id))


def test_two_that_are_deleted_are_told_apart(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    long = "A title of more than forty characters, which are cut"
    leave_only(site, "First", long)
    chat = Chat(visits.open("/"), say)
    for title in ("First", long):
        chat.choose(title, say("base.delete"))
    toasts = chat.page.locator(".toast [data-slot=text]")
    expect(toasts).to_have_text([say("js.deleted", title="First"), say("js.deleted", title=f"{long[:39]}…")])
    column, toast = chat.page.locator("[data-chat-main]").bounding_box(), toasts.first.locator("..").bounding_box()
    assert column
    assert toast
    assert abs(column["x"] + column["width"] / 2 - toast["x"] - toast["width"] / 2) < 1, "in the middle of the column"
