"""A conversation that was deleted in another tab: whatever is done with it here, it is told, and no word is lost."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.line import line_to
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, Raw, ScriptedUpstream

say = words("en")
DRAFT = "and the next question"
LENGTH = Answer("One, two,", finish_reason="length")

pytestmark = pytest.mark.browser


def held() -> Answer:
    """It comes no farther than its twentieth word before the test has ended."""
    return Answer(text=" ".join(f"w{number}" for number in range(1, 400)), gate=Gate(20))


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def delete_elsewhere(site: Site, chat: Chat) -> None:
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")


def expect_gone(chat: Chat, title: str, place: Locator, kept: str = "") -> None:
    """It is told in `place`, has left the list, and a new conversation waits with what was typed."""
    expect(place).to_contain_text(chat.say("js.conversation_gone_kept" if kept else "js.conversation_gone"))
    expect(chat.in_list(title)).to_have_count(0)
    expect(chat.page).to_have_url(re.compile(r"//[^/]+/$"))
    expect(chat.answers).to_have_count(0)
    expect(chat.text).to_have_value(kept)
    expect(chat.stop_button).to_be_hidden()


def expect_that_it_is_answered_in_a_new_one(chat: Chat, title: str) -> None:
    chat.enter()
    expect(chat.questions).to_have_text(title)
    chat.wait_until_answered()
    expect(chat.in_list(title)).to_be_visible()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_sending(visits: Visits, script: ScriptedUpstream, site: Site, locale: str) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    chat.ask("Sent and gone")
    delete_elsewhere(site, chat)
    chat.send(f"{DRAFT} ({locale})")
    expect_gone(chat, "Sent and gone", chat.problem, kept=f"{DRAFT} ({locale})")
    expect_no_fault(chat.page, locale)
    chat.page.set_viewport_size(WIDE)
    expect_that_it_is_answered_in_a_new_one(chat, f"{DRAFT} ({locale})")


def test_sending_while_another_conversation_is_on_the_page(chat: Chat, site: Site) -> None:
    chat.ask("Stays")
    stays = chat.page.url
    chat.page.goto("/")
    chat.ask("Goes meanwhile")
    delete_elsewhere(site, chat)

    def slowly(route: Route) -> None:
        chat.in_list("Stays").click()
        expect(chat.questions).to_have_text("Stays")
        route.continue_()

    chat.page.route("**/api/chat", slowly)
    chat.send(DRAFT)
    expect(chat.page.locator(".toast")).to_contain_text(say("js.conversation_gone_kept"))
    expect(chat.in_list("Goes meanwhile")).to_have_count(0)
    expect(chat.page).to_have_url(stays)
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).click()
    expect(chat.text).to_have_value(DRAFT)


def test_stopping(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    def too_late(route: Route) -> None:
        delete_elsewhere(site, chat)
        route.continue_()

    script.script(held())
    chat.page.route("**/stop", too_late)
    chat.send("Stop me")
    expect(chat.prose).to_contain_text("w5 ")
    chat.text.fill(DRAFT)
    with chat.page.expect_response("**/stop") as stopped:
        chat.stop_button.click()
    assert stopped.value.status == 404
    expect_gone(chat, "Stop me", chat.problem, kept=DRAFT)


def test_while_the_answer_is_written(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    script.script(held())
    chat.send("Write on")
    expect(chat.prose).to_contain_text("w5 ")
    delete_elsewhere(site, chat)
    expect_gone(chat, "Write on", chat.problem)


def test_continuing(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    script.script(LENGTH)
    chat.ask("Count on")
    delete_elsewhere(site, chat)
    chat.answer.get_by_role("button", name=say("chat.continue"), exact=True).click()
    expect_gone(chat, "Count on", chat.problem)


def test_asking_again(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    script.script(*[Raw(parts=(), resets=True)] * 2)  # the only key is asked twice
    chat.ask("Ask again")
    site.ask("DELETE", "/api/admin/keys/environment/bench")
    delete_elsewhere(site, chat)
    chat.text.fill(DRAFT)
    chat.answer.get_by_role("button", name=say("base.retry")).click()
    expect_gone(chat, "Ask again", chat.problem, kept=f"Ask again\n\n{DRAFT}")


def test_reconnecting(browser: Browser, script: ScriptedUpstream, site: Site) -> None:
    script.script(held())
    with line_to(urlsplit(site.url).port or 80) as line:
        visits = Visits(browser, replace(site, server=replace(site.server, base_url=line.url)))
        chat = Chat(visits.open("/"), say)
        chat.send("Lose me")
        expect(chat.prose).to_contain_text("w5 ")
        chat.text.fill(DRAFT)

        def too_late(route: Route) -> None:
            delete_elsewhere(site, chat)
            route.continue_()

        chat.page.route("**/events?*", too_late, times=1)
        line.cut()
        expect_gone(chat, "Lose me", chat.problem, kept=DRAFT)
        assert visits.close() == []


def rename(chat: Chat, title: str) -> None:
    chat.choose(title, chat.say("chat.rename"))
    chat.page.get_by_label(chat.say("chat.title"), exact=True).fill("Another name")
    chat.page.get_by_role("button", name=chat.say("base.save")).click()


def test_renaming_the_one_on_the_page(chat: Chat, site: Site) -> None:
    chat.ask("Change me")
    delete_elsewhere(site, chat)
    chat.text.fill(DRAFT)
    rename(chat, "Change me")
    expect_gone(chat, "Change me", chat.page.locator(".toast"), kept=DRAFT)
    expect(chat.page.locator("dialog[open]")).to_have_count(0)


def test_renaming_another(chat: Chat, site: Site) -> None:
    chat.ask("Change the other")
    delete_elsewhere(site, chat)
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).click()
    rename(chat, "Change the other")
    expect_gone(chat, "Change the other", chat.page.locator(".toast"))


def test_opening_from_the_list_and_by_the_way_back(chat: Chat, site: Site) -> None:
    chat.ask("Open me")
    delete_elsewhere(site, chat)
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).click()
    chat.page.go_back()
    expect_gone(chat, "Open me", chat.problem)


def test_on_a_phone_it_is_told_over_the_open_list(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    chat = Chat(visits.open("/", viewport=PHONE), say)
    chat.ask("On a phone")
    delete_elsewhere(site, chat)
    chat.page.get_by_role("button", name=say("chat.open_list")).click()
    rename(chat, "On a phone")
    toast = chat.page.locator(".toast")
    expect(toast).to_contain_text(say("js.conversation_gone"))
    expect(chat.in_list("On a phone")).to_have_count(0)


def test_reloading_and_an_address_that_never_was(chat: Chat, site: Site) -> None:
    chat.ask("Reload me")
    address = chat.page.url
    chat.text.fill(DRAFT)
    delete_elsewhere(site, chat)
    loaded = chat.page.reload()
    assert loaded
    assert loaded.status == 404
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.text).to_have_value(DRAFT)
    expect(chat.in_list("Reload me")).to_have_count(0)
    expect_that_it_is_answered_in_a_new_one(chat, DRAFT)
    chat.page.goto(address)
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.text).to_have_value("")


def test_deleting_here_while_the_answer_is_written_is_not_told_as_if_it_had_been_elsewhere(
    chat: Chat, script: ScriptedUpstream
) -> None:
    script.script(held())
    chat.send("Bin this one")
    expect(chat.prose).to_contain_text("w5 ")
    chat.page.evaluate(
        """() => {
          window.told = []
          const problem = document.querySelector("[data-composer-error]")
          const listen = () => problem.hidden || told.push(problem.textContent)
          new MutationObserver(listen).observe(problem, { attributes: true })
        }"""
    )
    chat.text.fill(DRAFT)
    chat.choose("Bin this one", say("base.delete"))
    expect(chat.page.locator(".toast")).to_contain_text(say("js.deleted", title="Bin this one"))
    expect(chat.in_list("Bin this one")).to_have_count(0)
    expect(chat.page).to_have_url(re.compile(r"//[^/]+/$"))
    expect(chat.stop_button).to_be_hidden()
    assert chat.page.evaluate("told") == []
