"""Hundreds of hostile texts, each by itself, through the page's own modules under its own policy."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TooLate

from tests.e2e.chat import Chat
from tests.e2e.corpus import FAMILIES
from tests.e2e.findings import TOLD, TRY_CASES
from tests.e2e.looks import CHINESE, ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, ScriptedUpstream

LONGEST = 5_000  # milliseconds for one case, one way, and without an answer to a press
DRAWN = 4  # so much longer for what grows, and is drawn many times
PLAIN_TIMES = 50  # or so many times what 100 KB of plain words take, where a machine is slow
REPORTS = {"fetch", "xhr", "eventsource", "ping"}  # the page's own, of which there may be any
PIECES, FEW_PIECES = 20, 8  # in which a text grows, each of which waits for a frame
HANGS = 300_000  # milliseconds for a family, one way: a page that does not come to its end then has failed
ON_A_PHONE = ("pictures", "sizes", "slow searches")  # all of them would take as long again
WHAT = [*FAMILIES, *(f"{family} on a phone" for family in ON_A_PHONE)]
WARM = "Both libraries come with it: $x$ and\n\n```python\nx = 1\n```"

pytestmark = pytest.mark.browser


@pytest.mark.security("svg-in-answers")
def test_the_corpus_has_hundreds_of_cases() -> None:
    texts = [text for family in FAMILIES.values() for text in family.values()]
    assert len(set(texts)) >= 300
    assert len(texts) - len(set(texts)) <= 2, "hardly any are told twice"


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Look:
    """On a wide screen, unless a test says otherwise."""
    found: Look = getattr(request, "param", ENGLISH)
    return found


@pytest.fixture
def page(look: Look, visits: Visits, script: ScriptedUpstream, site: Site) -> Page:
    """A stored answer, with the large libraries there."""
    script.script(Answer(text=WARM))
    started = list(site.server.chat("Warm up."))
    page = look.open(visits, f"/c/{started[0][1]['conversation_id']}")
    Chat(page, look.say).prose.locator(".hljs-number").wait_for()
    page.locator(".katex").first.wait_for()
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.on("popup", lambda popup: pytest.fail(f"a window opened: {popup.url}"))
    return page


def tried(page: Page, family: str, way: str, *, pieces: int = PIECES, patience: int = HANGS) -> Any:
    """What came of each case. A page that hangs is closed: nothing could be asked of it any more."""
    try:
        with page.expect_console_message(lambda message: message.text == TOLD, timeout=patience):
            page.evaluate(TRY_CASES, [json.dumps(FAMILIES[family]), way, pieces])
    except TooLate:
        page.close()
        pytest.fail(f"{family}, {way}: the page hangs")
    return page.evaluate("window.tried")


def test_a_page_that_hangs_is_given_up(page: Page) -> None:
    page.evaluate("() => { performance.now = () => { while (true); } }")
    with pytest.raises(pytest.fail.Exception, match="hangs"):
        tried(page, "controls", "stored", patience=2_000)
    assert page.is_closed()


@pytest.mark.security("markup-inert", "svg-in-answers", "picture-leak")
@pytest.mark.each_case
@pytest.mark.parametrize(
    ("family", "look"),
    [*((family, ENGLISH) for family in FAMILIES), *((family, CHINESE) for family in ON_A_PHONE)],
    indirect=["look"],
    ids=WHAT,
)
def test_no_case_does_anything(family: str, page: Page, visits: Visits, request: pytest.FixtureRequest) -> None:
    pieces = FEW_PIECES if request.config.getoption("--few-cases") else PIECES
    watch = visits.watch(page)
    before = len(watch.requests)
    page.evaluate("window.pwned = 0")
    for way in ("stored", "growing", "raw"):
        plain, results = tried(page, family, way, pieces=pieces)
        assert [each["name"] for each in results] == list(FAMILIES[family])
        assert [(each["name"], each["faults"]) for each in results if each["faults"]] == [], way
        longest = max(LONGEST, PLAIN_TIMES * plain)
        for what, most in (("silent", longest), ("took", longest * (DRAWN if way == "growing" else 1))):
            slowest = max(results, key=lambda each: each[what])
            assert slowest[what] < most, (way, slowest, plain)
        if way != "raw":
            assert watch.problems == [], "the page's policy had nothing to stop"
    watch.problems.clear()  # browsers tell of what the sanitizer parses apart from the page, where nothing is done
    assert page.evaluate("window.pwned") == 0
    assert watch.strangers == []
    loads = [request for request in watch.requests[before:] if request.resource_type not in REPORTS]
    assert [load.url for load in loads if "/static/" not in load.url and not load.url.startswith("data:")] == []
