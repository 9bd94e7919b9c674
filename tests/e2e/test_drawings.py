"""Drawings (SVG) and diagrams (Mermaid) in frames of their own: drawn on a press, and unable to do anything else."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import accessible
from tests.e2e.chat import PATIENCE, Chat
from tests.e2e.clipboard import copied
from tests.e2e.corpus.drawings import DIAGRAMS, DRAWINGS
from tests.e2e.corpus.markup import AT
from tests.e2e.seen import share_of
from tests.e2e.visits import OTHER_LOOKS, PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
SCHEMES = ("dark", "light") if OTHER_LOOKS else ("light", "dark")  # of an English page, and the other
RED, WHITE = (200, 30, 90), (255, 255, 255)
SVG = '<svg viewBox="0 0 200 100"><rect width="200" height="100" fill="rgb(200, 30, 90)"/></svg>'
MERMAID = "flowchart LR\n  first[First step] --> second[Second step]"
# Each is put into an answer by the page's own modules, shown, and waited for until it is clear what came of it.
SHOW = """
async ([json, language]) => {
  const { showText } = await import("app/chat/growing-text.js")
  const prose = document.querySelector('.message--answer .prose[data-slot="text"]')
  const came = []
  for (const [name, text] of Object.entries(JSON.parse(json))) {
    showText(prose, "~~~~" + language + "\\n" + text + "\\n~~~~")
    prose.querySelector("[data-show]").click()
    const problem = prose.querySelector("[data-slot=problem]")
    const isOver = () => problem.textContent || prose.querySelector("iframe")?.ariaBusy === "false"
    while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 20))
    const { width, height } = (prose.querySelector("iframe") ?? problem).getBoundingClientRect()
    came.push({ name, said: problem.textContent, width, height })
  }
  return came
}
"""
COLOUR = """colour => {
  const probe = document.body.appendChild(document.createElement("i"))
  probe.style.color = colour
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}"""

pytestmark = pytest.mark.browser


def code(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def button(page: Page, key: str, locale: str = "en") -> Locator:
    return page.get_by_role("button", name=words(locale)(key), exact=True)


def frame_of(page: Page) -> Locator:
    return page.locator(".prose iframe")


@pytest.mark.parametrize(("viewport", "locale"), [(WIDE, "en"), (PHONE, "zh")], ids=["wide", "phone"])
def test_a_drawing_is_shown_and_its_code_again(
    visits: Visits, script: ScriptedUpstream, viewport: Any, locale: str
) -> None:
    script.script(Answer(code("svg", SVG)))
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    chat.ask("Draw a box.")
    page = chat.page
    button(page, "js.show_drawing", locale).focus()
    page.keyboard.press("Enter")
    frame = frame_of(page)
    expect(frame).to_have_attribute("sandbox", "")
    wait_until(lambda: share_of(frame, RED) > 0.95)
    expect(chat.prose.locator("pre")).to_be_hidden()
    box = frame.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 2) < 0.1
    assert copied(page, button(page, "js.copy", locale).click) == f"{SVG}\n"
    accessible.expect_no_violation(page)
    page.emulate_media(media="print")
    expect(frame).to_be_visible()
    expect(button(page, "js.show_code", locale)).to_have_count(0)
    page.emulate_media(media="screen")
    button(page, "js.show_code", locale).click()
    expect(frame).to_have_count(0)
    expect(chat.prose.locator("pre")).to_be_visible()


def test_a_drawing_is_offered_once_its_code_is_whole(visits: Visits, script: ScriptedUpstream) -> None:
    gate = Gate(12)
    script.script(Answer(f"{code('svg', SVG)}\n\nThat was a box.", gate=gate))
    chat = Chat(visits.open("/"), say)
    chat.send("Draw a box.")
    expect(chat.prose.locator("pre")).to_contain_text("viewBox")
    expect(button(chat.page, "js.show_drawing")).to_have_count(0)
    gate.open()
    chat.wait_until_answered()
    expect(button(chat.page, "js.show_drawing")).to_be_visible()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_diagram_is_drawn_in_the_colours_of_the_page(visits: Visits, script: ScriptedUpstream, viewport: Any) -> None:
    script.script(Answer(code("mermaid", MERMAID)))
    chat = Chat(visits.open("/", viewport=viewport), say)
    page = chat.page
    chat.ask("Draw two steps.")
    assert [request.url for request in visits.watch(page).requests if "mermaid" in request.url] == []
    button(page, "js.show_drawing").click()
    frame = frame_of(page)
    expect(frame).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    expect(frame).to_have_attribute("sandbox", "allow-scripts")
    inside = page.frame_locator(".prose iframe")
    expect(inside.get_by_text("First step")).to_be_visible()
    before, after = SCHEMES
    expect(inside.locator("html")).to_have_attribute("data-scheme", before)
    accessible.expect_no_violation(page, before)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    change = "document.documentElement.dataset.theme = '%s'; document.dispatchEvent(new Event('themechange'))"
    page.evaluate(change % after)
    expect(inside.locator("html")).to_have_attribute("data-scheme", after)
    expect(inside.get_by_text("Second step")).to_be_visible()
    wait_until(lambda: share_of(frame, WHITE) < 0.2)  # the frame is as the page, and that is white in neither
    accessible.expect_no_violation(page, after)
    button(page, "js.show_code").click()
    expect(frame).to_have_count(0)


def test_a_diagram_with_a_mistake_says_so_beside_its_code(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(code("mermaid", "flowchart LR\n  a[never closed")))
    chat = Chat(visits.open("/"), say)
    chat.ask("Draw.")
    button(chat.page, "js.show_drawing").click()
    said = chat.prose.get_by_role("status")
    expect(said).to_have_text(say("js.drawing_wrong"), timeout=PATIENCE)
    accessible.expect_no_fault(chat.page)
    expect(frame_of(chat.page)).to_have_count(0)
    expect(chat.prose.locator("pre")).to_be_visible()


@pytest.mark.parametrize(("viewport", "locale"), [(WIDE, "en"), (PHONE, "zh")], ids=["wide", "phone"])
def test_a_diagram_that_cannot_be_drawn_here_says_so(
    visits: Visits, script: ScriptedUpstream, viewport: Any, locale: str
) -> None:
    unknown = [
        "mindmap\n  root((Tea))\n    Green",
        "architecture-beta\n  group api(cloud)[API]",
        "---\ntitle: Tea\n---\n%%{init: {\n'theme': 'dark'}}%%\n%% of leaves\n\n  mindmap\n    Tea",
        "flowchart-elk LR\n  a --> b",
    ]
    known = ["%% no mindmap\nflowchart LR\n  mindmap --> architecture", "timeline\n  title mindmap\n  2026 : now"]
    script.script(Answer("\n\n".join(code("mermaid", text) for text in unknown + known)))
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    chat.ask("Draw a mind map.")
    shown = chat.prose.locator("figure").evaluate_all(
        "all => all.map(each => each.querySelector('[data-show]').checkVisibility())"
    )
    assert shown == [False] * len(unknown) + [True] * len(known)
    notes = [each.inner_text() for each in chat.prose.locator("figure [data-slot=note]").all()]
    assert notes == [chat.say("js.not_drawn")] * len(unknown) + [""] * len(known)
    accessible.expect_no_fault(chat.page, locale)


def test_what_takes_too_long_is_given_up(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(code("mermaid", MERMAID)))
    chat = Chat(visits.open("/"), say)
    chat.ask("Draw.")
    chat.page.route("**/frames/diagram.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    chat.page.clock.install()
    button(chat.page, "js.show_drawing").click()
    expect(frame_of(chat.page)).to_be_visible()
    chat.page.clock.fast_forward(21_000)
    expect(chat.prose.get_by_role("status")).to_have_text(say("js.drawing_late"))
    expect(frame_of(chat.page)).to_have_count(0)


@pytest.mark.security("markup-inert")
@pytest.mark.parametrize(("language", "cases"), [("svg", DRAWINGS), ("mermaid", DIAGRAMS)], ids=["svg", "mermaid"])
def test_no_hostile_drawing_does_anything(
    visits: Visits, script: ScriptedUpstream, language: str, cases: dict[str, str]
) -> None:
    script.script(Answer("To be replaced."))
    chat = Chat(visits.open("/"), say)
    chat.ask("Draw.")
    page, watch = chat.page, visits.watch(chat.page)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.on("popup", lambda popup: pytest.fail(f"a window opened: {popup.url}"))
    page.evaluate("window.pwned = 0")
    address = page.url
    came = page.evaluate(SHOW, [json.dumps(cases), language])
    assert [each["name"] for each in came] == list(cases)
    assert page.evaluate("window.pwned") == 0
    assert page.url == address
    tried = [request for request in watch.requests if request.url in watch.strangers]
    wait_until(lambda: all("csp" in (request.failure or "").lower() for request in tried))  # the policy stopped them
    assert [each for each in came if each["width"] > WIDE["width"] or each["height"] > WIDE["height"]] == []
    shown = [each["name"] for each in came if not each["said"]]
    assert len(shown) > len(cases) / 3, "most are harmless once they are drawn"
    expected = ("policy", AT, "csp")  # what was stopped is told of
    watch.problems[:] = [told for told in watch.problems if not any(word in told.lower() for word in expected)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_diagram_has_the_colours_of_the_page(visits: Visits, script: ScriptedUpstream, scheme: Scheme) -> None:
    script.script(Answer(code("mermaid", MERMAID)))
    chat = Chat(visits.open("/", viewport=PHONE, scheme=scheme), say)
    chat.ask("Draw it.")
    button(chat.page, "js.show_drawing").click()
    node = frame_of(chat.page).content_frame.locator(".node rect").first
    for now in (scheme, "light" if scheme == "dark" else "dark"):
        chat.page.evaluate("now => (document.documentElement.dataset.theme = now)", now)
        chat.page.evaluate("document.dispatchEvent(new Event('themechange'))")
        for part, token in (("fill", "accent-soft"), ("stroke", "accent")):
            expect(node).to_have_css(part, chat.page.evaluate(COLOUR, f"var(--color-{token})"))
