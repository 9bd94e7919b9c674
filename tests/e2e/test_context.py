"""How full a conversation is: quiet at first, a warning near the end, what to do at it; and what comes next costs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

say = words("en")
WINDOW = 128_000  # tokens

pytestmark = pytest.mark.browser


@pytest.fixture
def narrow(site: Site) -> Iterator[str]:
    """The default model, for as long as the test lasts with this window; gives its id."""
    listed = site.ask("GET", "/api/models")
    (default,) = [each["id"] for each in listed["models"] if each["name"] == listed["default"]]
    path = f"/api/admin/models/{default}"
    (before,) = [each for each in site.ask("GET", "/api/admin/models")["models"] if each["id"] == default]
    settings = {name: before[name] for name in ("successor_id", "aliases", "context_tokens")}
    site.ask("PUT", path, settings | {"context_tokens": WINDOW})
    yield default
    site.ask("PUT", path, settings)


def used(prompt: int, **others: int) -> Answer:
    return Answer("So it is.", usage=Usage(prompt=prompt, **others))


def meter(chat: Chat) -> Locator:
    return chat.page.locator("[data-context]")


def note(chat: Chat) -> Locator:
    return chat.page.locator("[data-context-note]")


def about(chat: Chat) -> Locator:
    return chat.page.get_by_role("dialog", name=chat.say("chat.context"))


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_it_says_how_full_and_what_comes_next_costs(
    narrow: str, visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    expect(meter(chat)).to_be_hidden()
    script.script(used(12_000, completion=500, reasoning=200))
    chat.ask("Is it so?")
    expect(meter(chat)).to_contain_text("9.6%")
    expect(note(chat)).to_be_hidden()
    asked = visits.watch(chat.page).requests
    before = len([each for each in asked if "input-cost" in each.url])
    assert before == 0, "nobody has asked what it costs"
    meter(chat).click()
    expect(about(chat)).to_contain_text("12,300")
    expect(about(chat)).to_contain_text("128,000")
    expect(about(chat)).to_contain_text(re.compile(r"¥0\.0\d+.*¥0\.000\d+"))
    expect_no_fault(chat.page, locale)
    chat.page.keyboard.press("Escape")
    expect(about(chat)).to_be_hidden()
    chat.page.reload()
    expect(meter(chat)).to_contain_text("9.6%")


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_what_is_being_written_counts(
    narrow: str, visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    chat.text.fill("Is it so? " * 20)
    chat.page.wait_for_load_state("networkidle")  # what counts them has come
    chat.page.wait_for_timeout(600)
    expect(meter(chat)).to_be_hidden()  # a few words
    chat.text.fill("天为什么蓝？" * 1_000)
    expect(meter(chat)).to_contain_text("2.8%")  # 3,600 tokens of 128,000
    meter(chat).click()
    expect(about(chat)).to_contain_text(chat.say("js.context_written", tokens="3,600"))
    cost = chat.say("js.context_cost_new", cost="X").split("X")
    expect(about(chat)).to_contain_text(re.compile(rf"{cost[0]}¥0\.0\d+{re.escape(cost[1])}\s*$"))
    expect_no_fault(chat.page, locale)
    chat.page.set_viewport_size(viewport)
    chat.page.keyboard.press("Escape")
    script.script(used(12_000, completion=300))
    chat.enter()
    chat.wait_until_answered()
    expect(meter(chat)).to_contain_text("9.6%")
    chat.text.fill("And so? " * 1_000)
    expect(meter(chat)).to_contain_text("11.5%")
    chat.text.fill("")
    expect(meter(chat)).to_contain_text("9.6%")


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_a_conversation_that_was_brought_in_is_estimated(
    narrow: str, visits: Visits, site: Site, locale: str, viewport: ViewportSize
) -> None:
    made = {"created_at": "2026-01-01T00:00:00Z"}
    question = {"id": "1", "parent_id": None, "role": "user", "text": "天为什么蓝？" * 1_000, **made}
    answer = {"id": "2", "parent_id": "1", "role": "assistant", "text": "因为散射。" * 1_000, **made}
    about_it = {"id": f"theirs-{locale}", "title": "Brought in", "updated_at": "2026-01-02T00:00:00Z", **made}
    talk = {**about_it, "messages": [question, answer]}
    (brought,) = site.ask("POST", "/api/conversations/import", {"folders": [], "conversations": [talk]})["outcomes"]
    say = words(locale)
    chat = Chat(visits.open(f"/c/{brought['conversation_id']}", locale=locale, viewport=viewport), say)
    expect(meter(chat)).to_contain_text("5.2%")  # 6,600 tokens of 128,000
    meter(chat).click()
    expect(about(chat)).to_contain_text("6,600")
    expect(about(chat).locator("[data-slot=estimated]")).to_be_visible()
    expect_no_fault(chat.page, locale)


def test_it_warns_and_then_says_what_to_do(narrow: str, visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    script.script(used(102_000, completion=400), used(127_000, completion=1_000))
    chat.ask("Is it so?")
    expect(note(chat)).to_contain_text(say("js.context_low", share="80%"))
    chat.ask("And so?")
    expect(note(chat)).to_contain_text(say("js.context_full"))
    expect_no_fault(chat.page)
    chat.page.set_viewport_size(WIDE)
    note(chat).get_by_role("link").click()
    expect(chat.answers).to_have_count(0)
    expect(note(chat)).to_be_hidden()
    expect(meter(chat)).to_be_hidden()


def test_each_branch_has_its_own_and_an_edit_makes_room(narrow: str, visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    script.script(used(1_280), used(127_000, completion=1_000), used(2_560))
    chat.ask("Is it so?")
    chat.ask("Everything, at length.")
    expect(note(chat)).to_be_visible()
    chat.act(chat.question(1), "edit").click()
    editor = chat.page.get_by_role("textbox", name=say("chat.edit_message"))
    editor.fill("Briefly.")
    editor.press("Enter")
    chat.wait_until_answered()
    expect(meter(chat)).to_contain_text("2%")
    expect(note(chat)).to_be_hidden()
    chat.act(chat.question(1), "version_before").click()
    expect(meter(chat)).to_contain_text("100%")
    expect(note(chat)).to_be_visible()


def test_without_a_window_or_a_price_it_says_tokens_alone(
    narrow: str, visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    site.ask("PUT", f"/api/admin/models/{narrow}", {"successor_id": None, "aliases": [], "context_tokens": None})
    chat = Chat(visits.open("/"), say)
    script.script(used(12_000, completion=300))
    chat.ask("Is it so?")
    expect(meter(chat)).to_contain_text("12.3K")
    chat.page.route(
        "**/input-cost?*", lambda route: route.fulfill(json={"currency": None, "micros": None, "cached_micros": None})
    )
    meter(chat).click()
    expect(about(chat)).to_contain_text(say("js.context_tokens", tokens="12,300"))
    expect(about(chat)).not_to_contain_text("¥")


def test_a_temporary_chat_tells_it_too_and_an_estimate_says_so(
    narrow: str, visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open("/?temporary"), say)
    script.script(Answer("So it is.", tells_usage=False))
    chat.ask("Is it so?")
    expect(meter(chat)).to_be_visible()
    meter(chat).click()
    expect(about(chat)).to_contain_text(say("chat.context_estimated"))


def test_an_administrator_says_how_much_a_model_reads(narrow: str, visits: Visits, site: Site) -> None:
    page = visits.open("/admin/models")
    name = next(each["name"] for each in site.ask("GET", "/api/models")["models"] if each["id"] == narrow)
    page.get_by_role("button", name=say("js.admin.edit_model", name=name)).click()
    dialog = page.get_by_role("dialog", name=name)
    field = dialog.get_by_label(say("admin.window"))
    expect(field).to_have_value(str(WINDOW))
    field.fill("64000")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    rows = site.rows("SELECT context_tokens FROM models WHERE id = :id", id=narrow)
    assert rows == [{"context_tokens": 64_000}]
