"""A conversation that cannot be had: it is said why in its place, with a way to try again, and it comes by itself."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.e2e.written import converse, leave_only

TITLE = "Where is it?"
ANSWER = "Here it is."
STORED = "**/api/conversations/0*"
IS_UNCOVERED = """button => {
  const { x, y, width, height } = button.getBoundingClientRect()
  return button.contains(document.elementFromPoint(x + width / 2, y + height / 2))
}"""

# What a conversation needs, once it has come.
NEEDED = """async () => {
  for (const name of ["conversation", "elsewhere", "shared-drafts"]) await import(`app/chat/${name}.js`)
}"""
SIGNED_OUT = {"error": {"code": "sign_in_required", "message": "Sign in first."}}
ALL_OF_IT = "**/api/conversations**"

pytestmark = pytest.mark.browser


@pytest.fixture(params=[("en", WIDE, "light"), ("zh", PHONE, "dark")], ids=["wide", "phone"])
def chat(request: pytest.FixtureRequest, visits: Visits, site: Site) -> Iterator[Chat]:
    locale, viewport, scheme = request.param
    leave_only(site)
    converse(site, TITLE, ["What?", ANSWER])
    made = Chat(visits.open("/", locale=locale, viewport=viewport, scheme=scheme), words(locale))
    made.page.wait_for_load_state("networkidle")
    yield made
    problems = visits.watch(made.page).problems
    problems[:] = [problem for problem in problems if "ERR_INTERNET_DISCONNECTED" not in problem]


def is_small(chat: Chat) -> bool:
    return chat.page.viewport_size == PHONE


def open_list(chat: Chat) -> None:
    if is_small(chat):
        chat.page.locator("[data-drawer-open]").click()


def open_it(chat: Chat) -> None:
    open_list(chat)
    chat.in_list(TITLE).click()


def expect_it(chat: Chat) -> None:
    expect(chat.prose).to_have_text(ANSWER)
    expect(chat.unreached).to_be_hidden()
    expect(chat.page.locator("[data-title]")).to_have_text(TITLE)


def again(chat: Chat) -> Locator:
    return chat.unreached.get_by_role("button", name=chat.say("base.retry"), exact=True)


def coming(chat: Chat) -> Locator:
    return chat.page.locator("[data-coming]")


def refuse(route: Route) -> None:
    route.abort("connectionrefused")


def test_it_can_be_tried_again(chat: Chat) -> None:
    chat.page.route(STORED, refuse)
    open_it(chat)
    expect(chat.unreached).to_contain_text(chat.say("js.error.offline"))
    expect_no_fault(chat.page)
    with chat.page.expect_request(STORED):
        again(chat).click()
    expect(again(chat)).not_to_have_attribute("aria-busy", "true")
    expect(chat.unreached).to_be_visible()
    chat.page.unroute(STORED, refuse)
    again(chat).click()
    expect_it(chat)


def test_what_is_opened_instead_takes_its_place(chat: Chat) -> None:
    chat.page.route(STORED, refuse)
    open_it(chat)
    expect(chat.unreached).to_be_visible()
    open_list(chat)
    chat.page.locator(".sidebar__new").click()
    expect(chat.unreached).to_be_hidden()
    expect(chat.page.locator("[data-greeting]")).to_be_visible()


def test_without_a_network_that_is_said_covers_no_button_and_goes_on_by_itself(chat: Chat) -> None:
    page = chat.page
    page.context.set_offline(True)
    open_it(chat)
    expect(chat.unreached).to_contain_text(chat.say("js.error.no_network"))
    open_list(chat)
    page.locator("[data-search-field]").focus()  # its module cannot be had either
    toast = page.locator(".toast", has_text=chat.say("js.error.no_network"))
    expect(toast).to_be_visible()
    if is_small(chat):
        page.locator("[data-drawer-close]").first.click()
    page.evaluate(AT_REST)
    pill = page.locator("[data-offline-note]").bounding_box()
    box = toast.bounding_box()
    assert pill
    assert box
    assert box["y"] >= pill["y"] + pill["height"], "one is below the other"
    if is_small(chat):
        for button in page.locator(".chat__bar :is(button, a)").all():
            assert not button.is_visible() or button.evaluate(IS_UNCOVERED)
    expect_no_fault(page)
    page.context.set_offline(False)
    expect_it(chat)


def test_one_that_is_slow_shows_that_it_comes_and_what_is_sent_meanwhile(chat: Chat) -> None:
    held = Held(chat.page, STORED)
    open_it(chat)
    expect(coming(chat)).to_be_visible()
    expect(chat.page.locator("[data-thread]")).to_have_attribute("aria-busy", "true")
    expect(chat.page.locator("[data-announcer]")).to_have_text(chat.say("js.opening"))
    expect_no_fault(chat.page)
    chat.send("And then?")
    expect(coming(chat).get_by_text("And then?", exact=True)).to_be_visible()
    chat.stop_button.click()
    expect(chat.text).to_have_value("And then?")
    expect(coming(chat).get_by_text("And then?", exact=True)).to_have_count(0)
    chat.enter()
    expect(coming(chat).get_by_text("And then?", exact=True)).to_be_visible()
    held.let_go()
    expect(chat.questions).to_have_text(["What?", "And then?"])
    expect(coming(chat)).to_be_hidden()
    expect(chat.page.locator("[data-thread]")).not_to_have_attribute("aria-busy", "true")
    chat.wait_until_answered()


def test_a_server_that_stays_silent_is_given_up_and_what_was_sent_comes_back(chat: Chat) -> None:
    chat.page.clock.install()
    held = Held(chat.page, STORED)
    open_it(chat)
    expect(chat.text).to_have_value("")
    chat.send("And then?")
    held.wait()
    chat.page.clock.fast_forward(31_000)
    expect(chat.unreached).to_contain_text(chat.say("js.error.silent"))
    expect(chat.text).to_have_value("And then?")
    expect(coming(chat)).to_be_hidden()
    chat.text.fill("")
    chat.page.unroute(held.pattern)
    again(chat).click()
    expect_it(chat)


def test_whose_session_has_ended_is_led_to_sign_in_and_back(chat: Chat, visits: Visits) -> None:
    page = chat.page
    page.route(ALL_OF_IT, lambda route: route.fulfill(status=401, json=SIGNED_OUT))
    open_list(chat)
    page.locator("[data-search-field]").fill("where")
    expect(page.locator("[data-search-said]").get_by_role("link", name=chat.say("js.sign_in_again"))).to_be_visible()
    page.locator("[data-search-field]").fill("")
    chat.choose(TITLE, chat.say("js.pin"))
    expect(page.locator(".toast").get_by_role("button", name=chat.say("js.sign_in_again"))).to_be_visible()
    page.locator(".toast [data-close-toast]").click()
    chat.in_list(TITLE).click()
    expect(again(chat)).to_be_hidden()
    expect_no_fault(page)
    here = urlsplit(page.url).path
    chat.unreached.get_by_role("link", name=chat.say("js.sign_in_again")).click()
    page.wait_for_url(lambda url: here in (urlsplit(url).path, *parse_qs(urlsplit(url).query).get("next", [])))
    watched = visits.watch(page).problems
    watched[:] = [problem for problem in watched if "401" not in problem]


def test_what_is_sent_without_a_network_is_said_to_be_in_its_field(chat: Chat) -> None:
    chat.text.fill("And then?")
    chat.page.evaluate(NEEDED)
    chat.page.context.set_offline(True)
    chat.enter()
    expect(chat.problem).to_contain_text(chat.say("js.error.not_sent"))
    expect(chat.text).to_have_value("And then?")
    chat.page.context.set_offline(False)
    chat.text.fill("")
