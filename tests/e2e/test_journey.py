"""The whole journey, with the real local model: from the code that the server prints to the administrator's records."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e import entrance, pictures
from tests.e2e.chat import Chat
from tests.e2e.clipboard import copied
from tests.e2e.site import Site, opened
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

say = words("zh")
ADMIN, PASSWORD = "林晓明𠮷", "violet harbour lantern"
# What the small model answers in so many tokens: about 500 and 120.
STORY, POEM = "Write a long story about a ship.", "Write a poem about the sea."
GREETING = "Say hello."
MOST_MEGABYTES = 120
# Notes each length that the newest answer's text has while it is written.
WATCH = """() => {
  window.growth = [];
  const texts = document.getElementsByClassName("prose");
  new MutationObserver(() => {
    const length = [...texts].at(-1)?.textContent.trim().length ?? 0;
    if (length > (window.growth.at(-1) ?? 0)) window.growth.push(length);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
TOTALS = "SELECT count(*) AS answers, sum(prompt_tokens) AS input, sum(completion_tokens) AS output FROM token_usage"

RICH = """\
# 复利

The balance after $n$ years is

$$A = P\\left(1 + r\\right)^n$$

```python
def balance(principal: float, rate: float, years: int) -> float:
    return principal * (1 + rate) ** years
```

| years | balance |
|---:|---:|
| 10 | 1629 |
"""

pytestmark = [pytest.mark.browser, pytest.mark.local_model]


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site as its first start leaves it, with no key, set up in the browser by the printed code."""
    with ScriptedUpstream() as provider, opened(tmp_path_factory.mktemp("journey"), provider) as fresh:
        visits = Visits(browser, fresh)
        page = visits.open("/", locale="zh", signed_in=False)
        expect(page).to_have_url(re.compile("/setup$"))
        code = fresh.server.next_line().removeprefix("Set-up code: ")
        entrance.set_up(page, say, code=code, username=ADMIN, password=PASSWORD)
        expect(page.locator("[data-greeting]")).to_contain_text(ADMIN)
        fresh.be(page)
        fresh.ask("PUT", "/api/admin/models/titles", {"model_id": None})  # the provider is asked what a test asks
        assert visits.close() == []
        yield fresh


@pytest.fixture
def chat(visits: Visits) -> Chat:
    return Chat(visits.open("/", locale="zh"), say)


def _stored_answer(site: Site, chat: Chat) -> str:
    messages = site.ask("GET", f"/api/conversations/{chat.conversation_id}")["messages"]
    text: str = messages[-1]["text"]
    return text


def test_the_printed_code_makes_the_one_administrator(visits: Visits, site: Site) -> None:
    assert site.rows("SELECT username, role FROM users") == [{"username": ADMIN, "role": "admin"}]
    page = visits.open("/setup", locale="zh", signed_in=False)
    expect(page).to_have_url(re.compile("/login$"))
    entrance.sign_in(page, say, username=ADMIN, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_contain_text(ADMIN)
    expect(page.get_by_text(say("chat.demo"))).to_be_visible()


def test_an_answer_streams_in_and_is_saved_as_it_was_shown(chat: Chat, site: Site) -> None:
    chat.page.evaluate(WATCH)
    chat.ask(POEM)
    assert len(chat.page.evaluate("window.growth")) > 3, "the text grew as it came"
    assert chat.copied_answer() == _stored_answer(site, chat)
    expect(chat.in_list(POEM)).to_be_visible()


def test_a_reload_in_mid_answer_goes_on_without_gap_or_repeat(chat: Chat, site: Site) -> None:
    chat.send(STORY)
    chat.wait_for_words(60)
    shown = chat.prose.inner_text()
    chat.page.reload()
    chat.wait_for_words(len(shown))
    expect(chat.stop_button).to_be_visible()
    assert chat.prose.inner_text().startswith(shown[:50]), "the answer so far is shown again"
    chat.wait_until_answered()
    streamed = chat.prose.inner_text()
    assert chat.copied_answer() == _stored_answer(site, chat)
    chat.page.reload()
    expect(chat.answers).to_have_count(1)
    assert chat.prose.inner_text() == streamed


def test_stop_ends_an_answer_and_keeps_what_had_come(chat: Chat, site: Site) -> None:
    chat.send(STORY)
    chat.wait_for_words(20)
    chat.stop_button.click()
    expect(chat.answer.get_by_text(say("js.answer_stopped"))).to_be_visible()
    expect(chat.stop_button).to_be_hidden()
    stored = _stored_answer(site, chat)
    assert len(stored) > 20
    assert chat.copied_answer() == stored
    [entry] = site.rows("SELECT outcome, completion_tokens FROM token_usage ORDER BY id DESC LIMIT 1")
    assert entry["outcome"] == "stopped"
    assert entry["completion_tokens"] > 0


def test_conversations_are_renamed_and_deleted(chat: Chat, site: Site) -> None:
    chat.ask_briefly(GREETING)
    address, title = chat.page.url, "你好 👋 𠮷"
    chat.choose(GREETING, say("chat.rename"))
    chat.page.get_by_label(say("chat.title"), exact=True).fill(title)
    chat.page.get_by_role("button", name=say("base.save")).click()
    expect(chat.in_list(title)).to_be_visible()
    chat.page.reload()
    expect(chat.page).to_have_title(re.compile(re.escape(title)))

    chat.choose(title, say("base.delete"))
    expect(chat.in_list(title)).to_have_count(0)
    expect(chat.page).to_have_url(site.url + "/")
    with chat.page.expect_response("**/api/conversations/*"):
        chat.page.locator(".toast").get_by_role("button", name=say("base.close_notice")).last.click()
    assert chat.page.goto(address).status == 404  # type: ignore[union-attr]


def test_the_dashboard_shows_what_the_ledger_holds(chat: Chat, site: Site) -> None:
    chat.ask_briefly(STORY)
    page = chat.page
    page.goto("/dashboard")
    [held] = site.rows(TOTALS)
    for period in ("today", "week", "month", "total"):
        tile = page.locator(f"[data-tile={period}]")
        expect(tile.locator("[data-slot=tokens]")).to_have_text(f"{held['input'] + held['output']:,}")
        expect(tile.locator("[data-slot=requests]")).to_have_text(f"{held['answers']:,}")
        expect(tile.locator("[data-slot=input]")).to_have_text(f"{held['input']:,}")
        expect(tile.locator("[data-slot=output]")).to_have_text(f"{held['output']:,}")
    newest = site.rows("SELECT * FROM token_usage ORDER BY id DESC LIMIT 1")[0]
    row = page.locator("[data-record-rows] [data-line]").first
    expect(row.locator("[data-slot=input]")).to_have_text(f"{newest['prompt_tokens']:,}")
    expect(row.locator("[data-slot=output]")).to_have_text(f"{newest['completion_tokens']:,}")
    expect(row.locator("[data-slot=model]")).to_have_text(newest["model"])


def test_the_administrator_sees_the_use_and_the_record(chat: Chat, site: Site) -> None:
    chat.ask_briefly(STORY)
    page = chat.page
    page.goto("/admin")
    [held] = site.rows(TOTALS)
    total = f"{held['input'] + held['output']:,}"
    expect(page.locator("[data-tile=today] [data-slot=tokens]")).to_have_text(total)
    mine = page.locator("[data-breakdown-rows] tr").filter(has_text=ADMIN)
    expect(mine.locator("[data-slot=tokens]")).to_have_text(total)
    page.get_by_role("button", name=say("stats.by_model"), exact=True).click()
    expect(page.locator("[data-breakdown]")).to_contain_text("SmolLM2")
    page.get_by_role("button", name=say("stats.by_user"), exact=True).click()

    mine.get_by_role("link", name=ADMIN).click()
    expect(page).to_have_url(re.compile(r"/admin/records\?user="))
    newest = site.rows("SELECT * FROM token_usage ORDER BY id DESC LIMIT 1")[0]
    row = page.locator("[data-record-rows] [data-line]").first
    expect(row.locator("[data-slot=user]")).to_have_text(ADMIN)
    expect(row.locator("[data-slot=output]")).to_have_text(f"{newest['completion_tokens']:,}")
    expect(row.locator("[data-slot=outcome]")).to_have_text(say(f"js.dashboard.outcome_{newest['outcome']}"))


def test_an_added_key_opens_a_provider_whose_answers_are_set_well(visits: Visits, site: Site) -> None:
    page = visits.open("/admin/keys", locale="zh")
    card = _add_key(page, site.provider.base_url, "sk-scripted-4321")
    expect(card).to_contain_text(say("js.admin.key_state_ready"))
    expect(card).to_contain_text("4321")
    expect(card.get_by_role("status")).to_contain_text("2")
    assert "sk-scripted" not in page.content()

    chat = Chat(visits.open("/", locale="zh"), say)
    expect(chat.page.get_by_text(say("chat.demo"))).to_be_hidden()
    chat.page.get_by_label(say("chat.thinking")).select_option(label=say("js.think_on"))
    spent = Usage(prompt=1200, cached=1000, completion=345, reasoning=45)
    site.provider.script(Answer(text=RICH, thinking="先想想复利的公式。", usage=spent))
    chat.ask("什么是复利？")
    assert site.provider.journal.chats[-1].body["thinking"] == {"type": "enabled"}
    _expect_well_set(chat)
    [entry] = site.rows("SELECT * FROM token_usage ORDER BY id DESC LIMIT 1")
    assert (entry["prompt_tokens"], entry["cached_tokens"], entry["completion_tokens"]) == (1200, 1000, 345)
    assert (entry["reasoning_tokens"], entry["source"]) == (45, "reported")


def _add_key(page: Page, base_url: str, secret: str) -> Locator:
    """Add a key for another provider; gives its card."""
    page.get_by_role("button", name=say("admin.add_key")).first.click()
    dialog = page.get_by_role("dialog", name=say("admin.add_key"))
    dialog.get_by_label(say("admin.provider"), exact=True).select_option("other")
    dialog.get_by_label(say("admin.base_url"), exact=True).fill(base_url)
    dialog.get_by_label(say("admin.key_label"), exact=True).fill("团队共用")
    dialog.get_by_label(say("admin.key"), exact=True).fill(secret)
    dialog.get_by_role("button", name=say("admin.save_and_test")).click()
    expect(dialog).to_be_hidden()
    return page.get_by_role("listitem").filter(has_text="团队共用")


def _expect_well_set(chat: Chat) -> None:
    """The parts of RICH, each as what it is; the thoughts folded away until they are asked for."""
    thoughts = chat.answer.locator("[data-slot=reasoning]")
    expect(thoughts).to_be_hidden()
    chat.answer.locator("summary").click()
    expect(thoughts).to_have_text("先想想复利的公式。")
    expect(chat.prose.get_by_role("heading", name="复利")).to_be_visible()
    expect(chat.prose.locator(".katex")).to_have_count(2)
    expect(chat.prose.locator("code .hljs-keyword").first).to_have_text("def")
    expect(chat.prose.get_by_role("cell", name="1629")).to_be_visible()
    assert copied(chat.page, chat.prose.get_by_role("button", name=say("base.copy")).click).startswith("def balance(")


def test_the_server_has_stayed_small(site: Site, record_property: Callable[[str, object], None]) -> None:
    used = site.megabytes_at_rest(MOST_MEGABYTES)
    record_property("server after the journey (PSS)", f"{used:.1f} MB")
    assert used < MOST_MEGABYTES


def test_the_pictures_of_the_readme_are_of_this_site(browser: Browser, site: Site, tmp_path: Path) -> None:
    """`make screenshots` has them put where the README shows them."""
    folder = Path(os.environ.get("PICTURES") or tmp_path)
    assert pictures.take_all(browser, site, folder) == []
    assert len(list(folder.glob("*.png"))) >= 7
