"""Searching one's conversations: found as it is typed, opened where it stands, by pointer and by keyboard."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.found import wait_until_found
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

IN_VIEW = "element => { const { top } = element.getBoundingClientRect(); return top >= 0 && top < innerHeight * 0.75 }"
# Notes whether a message has been marked, which it is for a moment only.
NOTE_MARK = """() => new MutationObserver(() => { window.hasMarked ||= !!document.querySelector(".message--sought") })
    .observe(document.body, { subtree: true, childList: true, attributes: true })"""
TYPE_AND_ENTER = """(field, words) => {
  field.value = words
  field.dispatchEvent(new InputEvent("input", { bubbles: true }))
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }))
}"""
LONG = "\n\n".join(f"Paragraph {number} of a long answer, which fills the page." for number in range(60))

say = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def told(site: Site) -> dict[str, Any]:
    """A conversation about a pharos in two branches, and one in Chinese; found from now on."""
    site.provider.script(
        Answer(f"{LONG}\n\nThe Eddystone is <b>old</b>."), Answer("Another one"), Answer("复利就是利滚利。")
    )
    (_, start), *_ = list(site.server.chat("Which pharos is the oldest?"))
    again: dict[str, Any] = {"conversation_id": start["conversation_id"], "parent_id": None}
    list(site.server.chat("Which harbour?", **again))
    list(site.server.chat("请解释一下复利😀是什么"))
    for query in ("eddystone", "利滚利"):
        wait_until_found(site, query)
    return start


def field(page: Page, say_: Any = say) -> Locator:
    return page.get_by_role("searchbox", name=say_("chat.search"))


def hits(page: Page) -> Locator:
    return page.locator("[data-hits] a")


@pytest.mark.each_case
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_a_hit_opens_the_branch_that_holds_it(visits: Visits, told: dict[str, Any], viewport: Any) -> None:
    page = visits.open("/", viewport=viewport)
    if viewport is PHONE:
        page.get_by_role("button", name=say("chat.open_list")).click()
    field(page).fill("eddystone")
    expect(hits(page)).to_have_count(1)
    hit = hits(page).first
    expect(hit.locator("mark")).to_have_text("Eddystone")
    expect(hit).to_contain_text("The Eddystone is <b>old</b>.")
    page.evaluate(NOTE_MARK)
    hit.click()
    expect(page).to_have_url(re.compile(f"/c/{told['conversation_id']}$"))
    answer = page.locator(".message--answer")
    expect(answer).to_contain_text("The Eddystone")
    wait_until(lambda: page.evaluate("window.hasMarked"))
    expect(answer).not_to_have_class(re.compile("message--sought"))
    assert answer.locator("p").last.evaluate(IN_VIEW)
    if viewport is WIDE:
        expect(hits(page)).to_have_count(1)
    page.reload()
    expect(page.locator(".message--answer")).to_contain_text("The Eddystone")


def test_by_keyboard_alone(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/")
    field(page).focus()
    page.keyboard.type("phar")
    expect(hits(page)).to_have_count(2)
    expect(hits(page).first).to_contain_text(say("js.search_in_title"))
    page.keyboard.press("ArrowDown")
    expect(hits(page).first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits(page).last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(field(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".message--question")).to_be_focused()
    expect(page.locator(".message--question")).to_contain_text("oldest")
    field(page).focus()
    page.keyboard.press("Escape")
    expect(field(page)).to_have_value("")
    expect(hits(page)).to_have_count(0)
    expect(page.locator("[data-list]")).to_be_visible()
    page.keyboard.type("eddystone")
    page.keyboard.press("Enter")
    expect(hits(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".message--answer")).to_be_focused()


def test_chinese_is_found_by_two_characters_and_marked_behind_a_picture(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/", locale="zh")
    field(page, words("zh")).fill("是什么")
    expect(hits(page).locator("mark")).to_have_text(["是什么", "是什么"])
    field(page, words("zh")).fill("复利")
    expect(hits(page)).to_have_count(3)  # the title, the question, the answer


def test_what_was_just_written_is_found(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    script.script(Answer("A quokka smiles."))
    chat = Chat(visits.open("/"), say)
    chat.ask("Who smiles in Australia?")
    wait_until_found(site, "quokka")
    chat.choose("Who smiles in Australia?", say("chat.rename"))
    chat.page.get_by_label(say("chat.title"), exact=True).fill("Marsupials")
    chat.page.get_by_role("button", name=say("base.save")).click()
    expect(chat.page.locator("#rename-dialog")).to_be_hidden()  # whoever types now types into the field
    wait_until_found(site, "marsupials")
    field(chat.page).fill("quokka")
    expect(hits(chat.page)).to_contain_text("Marsupials")


def test_nothing_found_a_refusal_and_a_lost_line_are_told(visits: Visits, told: dict[str, Any]) -> None:
    def drop(route: Route) -> None:
        route.abort("connectionrefused")

    page = visits.open("/")
    said = page.locator("[data-search-said]")
    field(page).fill("zeppelin")
    expect(said).to_have_text(say("js.search_nothing", words="zeppelin"))
    field(page).fill("!?")
    expect(said).to_have_text(say("error.search_empty"))
    page.route("**/api/conversations/search**", drop)
    field(page).fill("pharos")
    expect(said).to_have_text(say("js.error.offline"))
    page.unroute("**/api/conversations/search**", drop)
    field(page).press("Enter")
    expect(hits(page)).to_have_count(2)
    expect(said).to_be_hidden()


def test_a_next_page_that_was_lost_is_asked_for_again(visits: Visits, told: dict[str, Any]) -> None:
    asked: list[str] = []

    def in_pages(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 2:
            return route.abort("connectionrefused")
        page_of = route.fetch(url=asked[0]).json()
        at = 0 if len(asked) == 1 else 1
        return route.fulfill(json={"hits": page_of["hits"][at : at + 1], "next": "more" if at == 0 else None})

    page = visits.open("/")
    page.route("**/api/conversations/search**", in_pages)
    field(page).fill("pharos")
    expect(page.locator("[data-search-said]")).to_have_text(say("js.error.offline"))
    expect(hits(page)).to_have_count(1)
    page.locator("[data-hits-more]").click()
    expect(hits(page)).to_have_count(2)
    expect(page.locator("[data-search-said]")).to_be_hidden()
    expect(page.locator("[data-hits-more]")).to_be_hidden()


def test_only_the_newest_words_count(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/")
    held = Held(page, re.compile("q=harbour$"))
    field(page).fill("harbour")
    held.wait()
    field(page).fill("eddystone")
    expect(hits(page).locator("mark")).to_have_text("Eddystone")
    held.let_go()
    page.wait_for_timeout(300)
    expect(hits(page).locator("mark")).to_have_text("Eddystone")


def test_enter_opens_no_hit_of_earlier_words(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/")
    field(page).fill("harbour")
    expect(hits(page)).to_have_count(1)
    field(page).evaluate(TYPE_AND_ENTER, "eddystone")  # sooner than the pause, however slow the machine
    expect(hits(page).locator("mark")).to_have_text("Eddystone")
    expect(page).to_have_url(f"{visits.site.url}/")
    field(page).press("Enter")
    expect(page.locator(".message--answer")).to_be_focused()


def test_an_input_methods_keys_neither_open_nor_leave(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/")
    field(page).fill("eddystone")
    expect(hits(page)).to_have_count(1)
    for key in ("Enter", "Escape"):
        field(page).dispatch_event("keydown", {"key": key, "keyCode": 229, "bubbles": True, "cancelable": True})
    expect(field(page)).to_have_value("eddystone")
    expect(page).to_have_url(f"{visits.site.url}/")
    field(page).press("Enter")
    expect(page.locator(".message--answer")).to_be_focused()


def test_the_list_and_its_page_load_nothing_for_it(visits: Visits) -> None:
    page = visits.open("/")
    page.wait_for_load_state("networkidle")
    assert not [each.url for each in visits.watch(page).requests if each.url.endswith("/search.js")]
    with page.expect_request("**/search.js"):
        field(page).focus()


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_it_fits_and_is_accessible(
    visits: Visits, told: dict[str, Any], locale: str, scheme: Scheme, viewport: Any
) -> None:
    say_ = words(locale)
    page = visits.open("/", locale=locale, viewport=viewport, scheme=scheme)
    if viewport is PHONE:
        page.get_by_role("button", name=say_("chat.open_list")).click()
    said = page.locator("[data-search-said]")
    lost = said.filter(has_text=say_("js.error.offline"))
    for query, shown in (("pharos", hits(page).first), ("zeppelin", said), ("no line", lost)):
        if shown is lost:
            page.route("**/api/conversations/search**", lambda route: route.abort("connectionrefused"))
        field(page, say_).fill(query)
        expect(shown).to_be_visible()
        page.evaluate(AT_REST)
        expect_no_violation(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.keyboard.press("Escape")
    expect(page.locator("[data-list]")).to_be_visible()
    expect(field(page, say_)).to_be_focused()


def test_a_hit_reads_as_its_answer_does(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    script.script(Answer("## Harvest\n\nThe **quinces** are `ripe`, see [the orchard](https://example.com/orchard)."))
    list(site.server.chat("What is ripe?"))
    wait_until_found(site, "quinces")
    page = visits.open("/")
    field(page).fill("quinces")
    snippet = hits(page).first.locator("[data-slot=snippet]")
    expect(snippet).to_contain_text("Harvest The quinces are ripe, see the orchard.")
    expect(snippet.locator("mark")).to_have_text("quinces")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_signs_alone_are_no_error(visits: Visits, locale: str) -> None:
    page = visits.open("/", locale=locale)
    field(page, words(locale)).fill("%%")
    said = page.locator("[data-search-said]")
    expect(said).to_have_text(words(locale)("error.search_empty"))
    expect(said).not_to_have_class(re.compile("found__said--error"))
