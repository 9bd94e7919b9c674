"""The chat under a finger."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e import looked_up, tooled
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, NARROWEST, PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

SIZES = """[...document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea")]
    .map(field => [field.outerHTML.slice(0, 120), parseFloat(getComputedStyle(field).fontSize)])"""

# As a keyboard of glass comes on iOS: it covers the lower part of the page, which stays as high as it was.
KEYBOARD_COMES = """height => {
  Object.defineProperty(visualViewport, "height", { value: height, configurable: true })
  visualViewport.dispatchEvent(new Event("resize"))
}"""
# What a newcomer sees before there is a key.
DEMO_NOTICE = """([words, link]) => {
  const notice = document.createElement("p")
  notice.className = "notice composer__notice"
  notice.innerHTML = '<span class="notice__text"></span> <a href="/admin/keys"></a>'
  notice.firstChild.textContent = words
  notice.lastChild.textContent = link
  document.querySelector("[data-composer]").prepend(notice)
}"""
IS_SEEN = """element => {
  const { left, top, right, bottom } = element.getBoundingClientRect()
  const middle = (left + right) / 2
  return [top + 2, bottom - 2].every(y => element.contains(document.elementFromPoint(middle, y)))
}"""
# As models of several makers are called: they begin with nothing that could be left out.
MAKERS = """({ options }) => ["Qwen3-235B-A22B-Instruct", "K2"].forEach((name, at) => {
  options[at].text = options[at].label = name
})"""
INSETS = {"top": 47, "bottom": 34, "left": 0, "right": 0}


pytestmark = pytest.mark.browser


@pytest.fixture(params=["en", "zh"])
def chat(request: pytest.FixtureRequest, visits: Visits) -> Chat:
    return Chat(visits.open("/", viewport=PHONE, locale=request.param), words(request.param))


def test_enter_breaks_the_line_and_the_button_sends(chat: Chat, script: ScriptedUpstream) -> None:
    chat.text.fill("one")
    chat.text.press("Enter")
    chat.text.press_sequentially("two")
    expect(chat.questions).to_have_count(0)
    chat.send_button.tap()
    expect(chat.questions.last).to_have_text("one\ntwo")
    chat.wait_until_answered()


def test_opening_the_list_takes_the_focus_there_and_closing_it_back(chat: Chat) -> None:
    chat.page.wait_for_load_state("networkidle")
    opener = chat.page.get_by_role("button", name=chat.say("chat.open_list"))
    opener.tap()
    expect(chat.page.locator("[data-sidebar] a").first).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_an_answer_that_was_stopped_in_its_thoughts_says_what_it_took(chat: Chat, script: ScriptedUpstream) -> None:
    script.default = Answer("word " * 300, thinking="hmm " * 300, tokens_per_second=20)
    chat.send("Think hard.")
    expect(chat.answer.locator("[data-slot=thinking]")).to_be_visible()
    chat.stop_button.tap()
    told = chat.answer.locator("[data-slot=about]")
    expect(told).to_contain_text("token")
    chat.page.reload()
    expect(told).to_contain_text("token")


def test_two_fingers_enlarge_the_page_and_leave_it_whole(chat: Chat) -> None:
    height = "document.querySelector('[data-chat]').getBoundingClientRect().height"
    before = chat.page.evaluate(height)
    chat.page.context.new_cdp_session(chat.page).send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    wait_until(lambda: chat.page.evaluate("visualViewport.scale") == 2)
    chat.page.wait_for_timeout(300)
    assert abs(chat.page.evaluate(height) - before) <= 1


@pytest.mark.parametrize("system", ["Android", "iOS"])
def test_the_keyboard_never_covers_the_composer(chat: Chat, system: str, script: ScriptedUpstream) -> None:
    script.script(Answer("A paragraph.\n\n" * 40))
    chat.ask("At length.")
    height = PHONE["height"] // 2
    chat.text.tap()
    if system == "iOS":
        chat.page.evaluate(KEYBOARD_COMES, height)
    else:  # the page asks for it: interactive-widget=resizes-content
        chat.page.set_viewport_size(PHONE | {"height": height})
    chat.text.fill("line\n" * 12)
    wait_until(lambda: _bottom(chat) <= height)
    expect(chat.send_button).to_be_visible()
    assert chat.page.locator("[data-thread]").evaluate("thread => thread.clientHeight") >= 60, "room to read"


@pytest.mark.parametrize(
    ("width", "height"), [(390, 420), (375, 330), (360, 360), (320, 568), (640, 400), (844, 390)], ids=str
)
def test_in_a_new_chat_send_is_seen_while_somebody_writes(chat: Chat, width: int, height: int) -> None:
    page = chat.page
    page.evaluate(DEMO_NOTICE, [chat.say("chat.demo"), chat.say("chat.add_key")])
    page.set_viewport_size({"width": width, "height": height})
    for text in ("one\ntwo\nthree", "字" * 132):
        chat.text.tap()
        chat.text.fill(text)
        wait_until(lambda: _is_within(chat, height))
        page.locator(".dock").evaluate("dock => dock.scrollTo(0, -dock.scrollHeight)")
        chat.text.press_sequentially("!")
        wait_until(lambda: _is_within(chat, height))
    expect(chat.text).to_be_focused()
    page.locator("[data-greeting]").scroll_into_view_if_needed()
    assert page.locator("[data-greeting]").evaluate(IS_SEEN), "it can be scrolled to"
    chat.text.fill("")


def _is_within(chat: Chat, height: int) -> bool:
    return _bottom(chat) <= height and bool(chat.send_button.evaluate(IS_SEEN))


def _bottom(chat: Chat) -> float:
    box = chat.send_button.bounding_box()
    return box["y"] + box["height"] if box else float("inf")


def test_nothing_stands_under_the_screens_own_bars(chat: Chat) -> None:
    protocol = chat.page.context.new_cdp_session(chat.page)
    protocol.send("Emulation.setSafeAreaInsetsOverride", {"insets": INSETS})
    wait_until(lambda: _bottom(chat) <= PHONE["height"] - INSETS["bottom"])
    opener = chat.page.get_by_role("button", name=chat.say("chat.open_list"))
    bar = opener.bounding_box()
    assert bar
    assert bar["y"] >= INSETS["top"]
    opener.tap()
    expect(chat.page.locator("[data-sidebar]")).to_be_in_viewport(ratio=1)
    chat.page.evaluate(AT_REST)
    drawn = chat.page.locator("[data-sidebar] a:visible, [data-sidebar] summary:visible").all()
    boxes = [box for box in (each.bounding_box() for each in (drawn[0], drawn[-1])) if box]
    assert boxes[0]["y"] >= INSETS["top"]
    assert boxes[-1]["y"] + boxes[-1]["height"] <= PHONE["height"] - INSETS["bottom"]


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_composer_grows_with_its_text_to_two_fifths_of_the_window(viewport: Any, visits: Visits) -> None:
    chat = Chat(visits.open("/", viewport=viewport), words("en"))
    heights = []
    for lines in (1, 4, 8, 60, 1):
        chat.text.fill("\n".join(["line"] * lines))
        heights.append(chat.text.evaluate("text => text.offsetHeight"))
    one, four, eight, most, again = heights
    assert one < four < eight < most <= 0.4 * viewport["height"] + 1
    assert again == one
    chat.text.fill("")


@pytest.mark.parametrize("path", ["/", "/dashboard", "/account", "/tokens"])
def test_no_field_is_enlarged_when_a_finger_goes_to_it(path: str, visits: Visits) -> None:
    page = visits.open(path, viewport=PHONE)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches"), "a finger is asked for"
    sizes = page.evaluate(SIZES)
    assert sizes, "there must be fields"
    assert [each for each in sizes if each[1] < 16] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_what_is_announced_stands_where_the_messages_do(
    visits: Visits, script: ScriptedUpstream, announcement: str, viewport: Any, scheme: Scheme
) -> None:
    page = visits.open("/", viewport=viewport, scheme=scheme)
    Chat(page, words("en")).ask("Where?")
    notice = page.locator(".announcement").filter(has_text=announcement)
    [around, text, close, answer] = [
        each.bounding_box()
        for each in (notice, notice.locator("p"), notice.get_by_role("button"), page.locator(".message--answer"))
    ]
    assert around
    assert text
    assert close
    assert answer
    assert (around["x"], around["width"]) == (answer["x"], answer["width"])
    assert abs(text["y"] + text["height"] / 2 - close["y"] - close["height"] / 2) < 1


def test_models_with_one_beginning_are_told_apart(visits: Visits) -> None:
    page = visits.open("/", viewport=NARROWEST)
    models = page.locator("[data-model]")
    named = "({ options }) => [...options].map(({ label }) => label)"
    names = models.evaluate(named)
    assert [name[0] for name in names] == ["…"] * len(names)
    assert len(set(names)) == len(names) > 1
    for at in range(len(names)):
        models.select_option(index=at)
        assert models.evaluate("field => field.scrollWidth <= field.clientWidth"), "it is seen whole"
    page.locator("[data-thinking-field]").evaluate("field => field.hidden = true")
    page.wait_for_function(f"() => !({named})(document.querySelector('[data-model]')).some((name) => name[0] === '…')")
    page.set_viewport_size(WIDE)
    expect(models.locator("option").first).to_have_attribute("label", models.locator("option").first.inner_text())


@pytest.mark.parametrize(("locale", "viewport"), [("en", NARROWEST), ("en", PHONE), ("zh", NARROWEST), ("zh", PHONE)])
def test_a_models_name_is_seen_whole_beside_all_that_can_be_switched(
    visits: Visits, site: Site, locale: str, viewport: Any
) -> None:
    with looked_up.searching(site), tooled.offering(site):
        page = visits.open("/", viewport=viewport, locale=locale)
        row, models = page.locator(".composer__tools"), page.locator("[data-model]")
        models.evaluate(MAKERS)
        expect(row).to_have_attribute("data-crowded", "broken")
        expect(row.locator(":scope > :visible")).to_have_count(7)
        fits = "each => each.scrollWidth <= each.clientWidth"
        assert (models.evaluate(fits), row.evaluate(fits)) == (True, True)
        models.select_option(index=1)
        expect(row).not_to_have_attribute("data-crowded", "broken")
        assert (models.evaluate(fits), row.evaluate(fits)) == (True, True)
        switches = [each.bounding_box() for each in row.locator(":scope > :visible:not(.composer__send)").all()]
        assert len({round(each["y"] + each["height"] / 2) for each in switches if each}) == 1, "in one row"


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_long_heading_of_a_table_is_broken(visits: Visits, script: ScriptedUpstream, locale: str) -> None:
    heading = {
        "en": "A heading of many words that goes on for a while",
        "zh": "一个特别长的表头说明文字需要换行显示才行" * 2,
    }
    script.script(Answer(f"| {heading[locale]} | B |\n|---|---|\n| x | y |"))
    chat = Chat(visits.open("/", viewport=PHONE, locale=locale), words(locale))
    chat.ask("A table.")
    table = chat.prose.locator(".table-scroll")
    assert table.evaluate("({ scrollWidth, clientWidth }) => scrollWidth - clientWidth") <= 0
