"""What is written on one device is found on another, until it is sent."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
SAVED = re.compile(r"/draft$")
KEPT = "SELECT text FROM drafts WHERE coalesce(conversation_id, '') = :conversation"
COME_BACK = "dispatchEvent(new Event('focus'))"

pytestmark = pytest.mark.browser
Open = Callable[..., Chat]


@pytest.fixture
def phone(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/", viewport=PHONE, locale="zh"), words("zh"))


@pytest.fixture
def desk(visits: Visits) -> Open:
    return lambda path="/": Chat(visits.open(path), say)


def kept(site: Site, conversation_id: str = "") -> str:
    """The draft as stored; it is looked at more often than anybody may ask the server."""
    found = site.rows(KEPT, conversation=conversation_id)
    return str(found[0]["text"]) if found else ""


def wait_for(site: Site, text: str, conversation_id: str = "") -> None:
    wait_until(lambda: kept(site, conversation_id) == text)


def test_what_was_begun_on_the_phone_is_gone_on_with_and_sent_at_the_desk(phone: Chat, desk: Open, site: Site) -> None:
    phone.text.fill("Begun on the phone")
    wait_for(site, "Begun on the phone")
    other = desk()
    expect(other.text).to_have_value("Begun on the phone")
    other.text.press("End")
    other.text.press_sequentially(", sent at the desk")
    wait_for(site, "Begun on the phone, sent at the desk")
    phone.page.evaluate(COME_BACK)
    expect(phone.text).to_have_value("Begun on the phone, sent at the desk")
    other.enter()
    other.wait_until_answered()
    expect(other.questions).to_have_text("Begun on the phone, sent at the desk")
    assert kept(site) == ""
    phone.page.evaluate(COME_BACK)
    expect(phone.text).to_have_value("")


def test_each_conversation_has_its_own_and_it_comes_with_its_page(phone: Chat, desk: Open, site: Site) -> None:
    phone.ask("Which one?")
    own = phone.conversation_id
    phone.text.fill("for this one")
    wait_for(site, "for this one", own)
    assert kept(site) == ""
    other = desk(f"/c/{own}")
    expect(other.text).to_have_value("for this one")
    other.page.get_by_role("link", name=other.say("chat.new"), exact=True).click()
    expect(other.text).to_have_value("")
    other.in_list("Which one?").click()
    expect(other.text).to_have_value("for this one")


def test_a_conversation_that_is_opened_from_the_list_brings_its_draft(phone: Chat, desk: Open, site: Site) -> None:
    phone.ask("Opened from the list")
    own = phone.conversation_id
    other = desk()
    phone.text.fill("written meanwhile")
    wait_for(site, "written meanwhile", own)
    other.in_list("Opened from the list").first.click()
    expect(other.text).to_have_value("written meanwhile")


def test_leaving_keeps_the_last_word(phone: Chat, desk: Open, site: Site) -> None:
    phone.text.fill("x")
    wait_for(site, "x")  # what keeps it has been loaded
    phone.text.fill("the last word")
    phone.page.goto("/account")
    wait_for(site, "the last word")


def test_emptying_it_empties_it_everywhere(phone: Chat, desk: Open, site: Site) -> None:
    phone.text.fill("not so")
    wait_for(site, "not so")
    other = desk()
    expect(other.text).to_have_value("not so")
    phone.text.fill("")
    wait_for(site, "")
    other.page.evaluate(COME_BACK)
    expect(other.text).to_have_value("")


def test_what_is_being_typed_is_not_overwritten(phone: Chat, desk: Open, site: Site) -> None:
    phone.text.fill("from the phone")
    wait_for(site, "from the phone")
    other = desk()
    expect(other.text).to_have_value("from the phone")
    other.text.fill("typed at the desk")
    wait_for(site, "typed at the desk")
    held = Held(other.page, SAVED)
    phone.text.fill("newer on the phone")
    wait_for(site, "newer on the phone")
    other.page.evaluate(COME_BACK)
    held.wait()
    other.text.fill("being typed")
    held.let_go()
    wait_for(site, "being typed")
    expect(other.text).to_have_value("being typed")


def test_what_was_begun_on_two_devices_at_once_is_kept_of_both(phone: Chat, desk: Open, site: Site) -> None:
    """The desk's window has been in front all the time: nothing has told it to look."""
    other = desk()
    other.text.fill("A word")
    wait_for(site, "A word")
    other.text.fill("")
    wait_for(site, "")
    phone.text.fill("A long text from the phone")
    wait_for(site, "A long text from the phone")
    other.text.fill("Typed at the desk")
    both = "A long text from the phone\n\nTyped at the desk"
    expect(other.text).to_have_value(both)
    wait_for(site, both)
    phone.page.evaluate(COME_BACK)
    expect(phone.text).to_have_value(both)


def test_a_late_copy_of_what_was_sent_does_not_come_back(phone: Chat, desk: Open, site: Site) -> None:
    phone.text.fill("Sent once")
    wait_for(site, "Sent once")
    other = desk()
    expect(other.text).to_have_value("Sent once")
    held = Held(phone.page, SAVED)
    phone.text.fill("Sent once, and a late word")
    held.wait()
    other.enter()
    other.wait_until_answered()
    with phone.page.expect_response(lambda reply: reply.request.method == "PUT" and reply.status == 409):
        held.let_go()
    assert kept(site) == ""
    with phone.page.expect_response(
        lambda reply: reply.request.method == "GET" and SAVED.search(reply.url) is not None
    ):
        phone.page.evaluate(COME_BACK)
    expect(phone.text).to_have_value("Sent once, and a late word")
    assert kept(site) == ""
    phone.text.fill("Something new")
    wait_for(site, "Something new")


def test_what_waits_for_its_turn_is_no_draft(phone: Chat, site: Site, script: ScriptedUpstream) -> None:
    gate = Gate(1)
    script.script(Answer("one two three", gate=gate))
    phone.send("First?")
    phone.wait_for_words(1)
    own = phone.conversation_id
    phone.text.fill("Second?")
    wait_for(site, "Second?", own)
    phone.enter()
    wait_for(site, "", own)
    phone.page.evaluate(COME_BACK)
    expect(phone.text).to_have_value("")
    gate.let_go()
    expect(phone.questions).to_have_text(["First?", "Second?"])
    phone.wait_until_answered()
    assert kept(site, own) == ""


def test_without_the_line_words_are_kept_by_the_browser_and_go_to_the_server_later(phone: Chat, site: Site) -> None:
    def lost(route: Route) -> None:
        route.abort("internetdisconnected")

    phone.text.fill("x")
    wait_for(site, "x")
    phone.page.route(SAVED, lost)
    phone.text.fill("written in the tunnel")
    phone.page.wait_for_timeout(1_500)
    assert kept(site) == "x"
    phone.page.reload()
    expect(phone.text).to_have_value("written in the tunnel")
    phone.page.unroute(SAVED)
    phone.page.evaluate("dispatchEvent(new Event('focus'))")
    wait_for(site, "written in the tunnel")
