"""The list of conversations under a finger that moves in from the edge."""

import pytest
from playwright.sync_api import CDPSession, Locator, expect

from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

HEIGHT = 400  # where on the screen a finger moves unless told otherwise
LONG_LINES = "```python\n" + "x = 1  # " + "a long line " * 40 + "\n```\n\n" + "A paragraph of a few words.\n\n" * 60
AT = "element => new DOMMatrix(getComputedStyle(element).transform).e"
SEEN_FROM = "visualViewport.pageLeft"
HAS_COME = "import('app/chat/swipe.js').then(() => true)"

pytestmark = pytest.mark.browser


class Finger:
    """One finger on the glass, as the browser itself gets it."""

    def __init__(self, protocol: CDPSession) -> None:
        self._protocol = protocol
        self._at = (0, 0)

    def press(self, x: int, y: int = HEIGHT) -> None:
        self._at = (x, y)
        self._tell("touchStart")

    def move(self, x: int, y: int | None = None, steps: int = 6) -> None:
        (from_x, from_y), to_y = self._at, self._at[1] if y is None else y
        for step in range(1, steps + 1):
            self._at = (from_x + (x - from_x) * step // steps, from_y + (to_y - from_y) * step // steps)
            self._tell("touchMove")

    def lift(self) -> None:
        self._protocol.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def swipe(self, *path: int, y: int = HEIGHT) -> None:
        self.press(path[0], y)
        for x in path[1:]:
            self.move(x)
        self.lift()

    def _tell(self, kind: str) -> None:
        x, y = self._at
        self._protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})


@pytest.fixture(params=["en", "zh"])
def chat(request: pytest.FixtureRequest, visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/", viewport=PHONE, locale=request.param), words(request.param))


@pytest.fixture
def finger(chat: Chat) -> Finger:
    """One that has been on the page before: what it moves has come."""
    chat.page.wait_for_load_state("networkidle")
    made = Finger(chat.page.context.new_cdp_session(chat.page))
    made.swipe(200, 200)
    chat.page.evaluate(HAS_COME)
    return made


def sidebar(chat: Chat) -> Locator:
    return chat.page.locator("[data-sidebar]")


def opener(chat: Chat) -> Locator:
    return chat.page.locator("[data-drawer-open]")


def expect_open(chat: Chat) -> None:
    expect(opener(chat)).to_have_attribute("aria-expanded", "true")
    expect(sidebar(chat)).to_be_in_viewport(ratio=1)


def expect_closed(chat: Chat) -> None:
    expect(sidebar(chat)).to_be_hidden()
    expect(opener(chat)).to_have_attribute("aria-expanded", "false")


def at_rest(chat: Chat) -> float:
    """From where the page is seen, once it moves no more."""
    seen: list[float] = []
    while len(seen) < 3 or len({*seen[-3:]}) > 1:
        seen.append(chat.page.evaluate(SEEN_FROM))
        chat.page.wait_for_timeout(100)
    return seen[-1]


def test_a_finger_from_the_edge_opens_the_list_and_one_back_closes_it(chat: Chat, finger: Finger) -> None:
    finger.swipe(5, 250)
    expect_open(chat)
    expect(sidebar(chat).locator("a").first).to_be_focused()
    finger.swipe(300, 60)
    expect_closed(chat)
    expect(opener(chat)).to_be_focused()
    finger.swipe(5, 250)
    expect_open(chat)
    finger.swipe(380, 150)  # beside the list
    expect_closed(chat)


def test_the_very_first_touch_of_a_page_opens_it(chat: Chat) -> None:
    chat.page.wait_for_load_state("networkidle")
    finger = Finger(chat.page.context.new_cdp_session(chat.page))
    finger.press(5)
    chat.page.evaluate(HAS_COME)
    finger.move(250)
    finger.lift()
    expect_open(chat)


def test_what_begins_elsewhere_goes_back_or_is_a_tap_opens_nothing(chat: Chat, finger: Finger) -> None:
    finger.swipe(120, 370)
    expect_closed(chat)
    finger.swipe(5, 250, 8)
    expect_closed(chat)
    finger.swipe(5, 9)
    expect_closed(chat)
    finger.press(5)
    finger.move(60)
    chat.page.wait_for_timeout(500)  # slowly
    finger.lift()
    expect_closed(chat)


def test_the_list_follows_the_finger_unless_less_motion_is_asked_for(chat: Chat, finger: Finger) -> None:
    chat.page.emulate_media(reduced_motion="reduce")
    finger.press(5)
    finger.move(155)
    expect(sidebar(chat)).to_be_hidden()
    finger.move(5)
    finger.lift()
    chat.page.emulate_media(reduced_motion="no-preference")
    finger.press(5)
    finger.move(155)
    expect(sidebar(chat)).to_be_visible()
    width = sidebar(chat).bounding_box()
    assert width is not None
    wait_until(lambda: sidebar(chat).evaluate(AT) == pytest.approx(150 - width["width"], abs=1))
    finger.move(5)
    finger.lift()
    expect_closed(chat)


def test_scrolling_up_and_down_and_code_keep_their_own_movement(
    chat: Chat, finger: Finger, script: ScriptedUpstream
) -> None:
    script.script(Answer(LONG_LINES))
    chat.ask("Something long.")
    thread, code = chat.page.locator("[data-thread]"), chat.prose.locator("pre")
    wait_until(lambda: thread.evaluate("element => element.scrollTop") > 1000)
    before = thread.evaluate("element => element.scrollTop")
    finger.press(12, 300)
    finger.move(40, 600)
    finger.lift()
    wait_until(lambda: thread.evaluate("element => element.scrollTop") < before - 100)
    expect_closed(chat)

    thread.evaluate("element => element.scrollTo(0, 0)")
    code.evaluate("element => element.scrollTo(600, 0)")
    box = code.bounding_box()
    assert box is not None
    assert box["x"] < 30, "it must lie within what opens the list"
    finger.swipe(28, 328, y=int(box["y"] + box["height"] / 2))
    wait_until(lambda: code.evaluate("element => element.scrollLeft") < 500)
    expect_closed(chat)


def test_an_enlarged_page_is_moved_about(chat: Chat, finger: Finger) -> None:
    scale = {"pageScaleFactor": 2}
    chat.page.context.new_cdp_session(chat.page).send("Emulation.setPageScaleFactor", scale)
    expect(chat.page.locator(".chat--enlarged")).to_be_attached()
    finger.swipe(380, 80)
    before = at_rest(chat)
    assert before > 50
    finger.swipe(5, 250)
    wait_until(lambda: chat.page.evaluate(SEEN_FROM) < before)
    expect_closed(chat)
