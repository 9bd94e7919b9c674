"""Assistants: kept on a page of one's own, begun with on the page of a new chat."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.support.assisted import ASSISTANTS, TUTOR
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

PRO, SHARED = "deepseek-v4-pro", "/api/admin/assistants"
LOOKS = [("en", WIDE), ("zh", PHONE)]
TOLD = {"role": "system", "content": TUTOR["instructions"]}
say = words("en")
pytestmark = pytest.mark.browser


@pytest.fixture
def tutor(site: Site) -> Iterator[str]:
    """The id of one that has a model and an effort; beside it one that has neither, nor an icon."""
    made = [
        site.ask("POST", ASSISTANTS, {"name": "Plain words", "instructions": "Say it plainly."})["id"],
        site.ask("POST", ASSISTANTS, TUTOR | {"model": PRO, "thinking": "max"})["id"],
    ]
    yield made[-1]
    kept = {each["id"] for each in site.ask("GET", ASSISTANTS)["assistants"]}
    for each in kept & set(made):
        site.ask("DELETE", f"{ASSISTANTS}/{each}")


def write(page: Page, say_: Words, **values: str) -> Locator:
    dialog = page.get_by_role("dialog")
    for name, value in values.items():
        dialog.locator(f'[name="{name}"]').fill(value)
    dialog.get_by_role("button", name=say_("base.save")).click()
    return dialog


def choices(page: Page) -> Locator:
    return page.locator("[data-begin-with]")


def chosen(page: Page) -> Locator:
    """Above the text."""
    return page.locator(".assisted")


def shown(page: Page) -> Locator:
    """In the head of the page."""
    return page.locator("[data-assistant]")


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_assistants_are_made_changed_and_deleted(locale: str, viewport: ViewportSize, visits: Visits) -> None:
    say, page = words(locale), visits.open("/assistants", locale=locale, viewport=viewport)
    rows = page.locator("[data-assistant-list] > li")
    expect(page.get_by_text(say("js.assistants.none"))).to_be_visible()
    page.get_by_role("button", name=say("assistants.new")).click()
    dialog = write(page, say, name="\u200b", icon="🧑‍🏫", instructions="Ask back.")
    expect(dialog.get_by_role("alert").filter(has_text=say("error.bad_assistant_name", limit=60))).to_be_visible()
    thinking = dialog.get_by_label(say("assistants.thinking"))
    expect(thinking.get_by_role("option")).to_have_count(3)
    dialog.get_by_label(say("assistants.model")).select_option(PRO)
    expect(thinking.get_by_role("option")).to_have_count(5)
    thinking.select_option("max")
    expect_no_fault(page, locale)
    write(page, say, name="<b>Tutor</b>")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(["<b>Tutor</b>"])
    expect(rows).to_contain_text([say("js.think_max")])
    expect(rows.get_by_role("link", name=say("js.assistants.begin", name="<b>Tutor</b>"))).to_be_focused()
    page.get_by_role("button", name=say("assistants.new")).click()
    write(page, say, name="Other", instructions="Say it plainly.")
    expect(rows).to_have_count(2)
    expect_no_fault(page, locale)
    rows.filter(has_text="Tutor").locator("[data-edit]").click()
    expect(page.get_by_role("dialog").get_by_label(say("assistants.thinking"))).to_have_value("max")
    write(page, say, instructions="Ask back, twice.")
    expect(rows.filter(has_text="twice")).to_have_count(1)
    for left in (1, 0):
        rows.first.locator("[data-delete]").click()
        asked = page.get_by_role("alertdialog")
        asked.get_by_role("button", name=say("js.assistants.delete_action"), exact=True).click()
        expect(rows).to_have_count(left)
        expect(page.locator("[data-new-assistant]")).to_be_focused()


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_a_conversation_begins_with_one_and_keeps_it(
    locale: str, viewport: ViewportSize, visits: Visits, tutor: str, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    page = chat.page
    expect(choices(page)).to_have_count(2)
    expect_no_fault(page, locale)
    chat.text.fill("What is a prime?")
    choices(page).filter(has_text="Tutor").click()
    expect(chosen(page)).to_contain_text("Tutor")
    expect(chat.text).to_have_value("What is a prime?")
    expect(choices(page).first).to_be_hidden()
    expect(page.locator("[data-model] option:checked")).to_have_text(PRO)
    expect(page.locator("[data-thinking]")).to_have_value("max")
    expect_no_fault(page, locale)
    script.script(Answer("What do you think?"), Answer("And now?"))
    chat.enter()
    expect(shown(page)).to_contain_text("Tutor")
    expect(chosen(page)).to_be_hidden()
    expect(chat.answer).to_contain_text("What do you think?")
    asked = script.journal.chats[-1].body
    assert asked["messages"] == [TOLD, {"role": "user", "content": "What is a prime?"}]
    assert (asked["model"], asked["reasoning_effort"]) == (PRO, "max")
    page.reload()
    expect(shown(page)).to_contain_text(TUTOR["icon"])
    expect(page.locator("[data-thinking]")).to_have_value("max")
    chat.ask("A number.")
    assert script.journal.chats[-1].body["messages"][0] == TOLD
    assert script.journal.chats[-1].body["model"] == PRO
    expect_no_fault(page, locale)
    page.go_back()
    expect(chosen(page)).to_contain_text("Tutor")
    expect(shown(page)).to_be_hidden()


def test_what_a_person_chooses_beside_it_stays(visits: Visits, tutor: str, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open(f"/?assistant={tutor}"), say)
    page, thinking = chat.page, chat.page.locator("[data-thinking]")
    chat.ask("What is a prime?")
    chat.act(chat.answer, "regenerate").click()
    wait_until(lambda: len(script.journal.chats) == 2)
    chat.wait_until_answered()
    assert script.journal.chats[-1].body["reasoning_effort"] == "max", "as the page shows it"
    thinking.select_option("off")
    other = Chat(visits.open(page.url), say)
    other.ask("Elsewhere.")
    page.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(chat.prose.last).to_be_visible()
    expect(page.get_by_text("Elsewhere.")).to_be_visible()
    expect(thinking).to_have_value("off")


def test_what_is_chosen_is_taken_away_again(visits: Visits, tutor: str, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open(f"/?assistant={tutor}"), say)
    page = chat.page
    usual = "deepseek-flash"
    expect(page.locator("[data-model] option:checked")).to_have_text(PRO)
    chosen(page).get_by_role("link", name=say("assistants.without", name="Tutor")).click()
    expect(chosen(page)).to_be_hidden()
    expect(choices(page).first).to_be_visible()
    expect(page.locator("[data-model] option:checked")).to_have_text(usual)
    chat.ask("hello")
    assert script.journal.chats[-1].body["messages"] == [{"role": "user", "content": "hello"}]
    expect(shown(page)).to_be_hidden()


def test_the_instructions_count_before_anything_is_asked(visits: Visits, site: Site, tutor: str) -> None:
    site.ask("PATCH", f"{ASSISTANTS}/{tutor}", {"instructions": "word " * 2_000})
    chat = Chat(visits.open(f"/?assistant={tutor}"), say)
    chat.text.fill("hello")
    meter = chat.page.locator("[data-context]")
    expect(meter).to_be_visible()
    meter.click()
    expect(chat.page.get_by_role("dialog", name=say("chat.context"))).to_contain_text("3,00")


def test_one_that_was_deleted_meanwhile_is_told_and_nothing_is_lost(
    visits: Visits, site: Site, tutor: str, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open(f"/?assistant={tutor}"), say)
    site.ask("DELETE", f"{ASSISTANTS}/{tutor}")
    chat.text.fill("hello")
    chat.enter()
    expect(chat.problem).to_contain_text(say("error.unknown_assistant"))
    expect(chat.text).to_have_value("hello")
    chosen(chat.page).get_by_role("link").click()
    chat.enter()
    expect(chat.prose).to_have_text(Answer().text)
    assert [each["content"] for each in script.journal.chats[-1].body["messages"]] == ["hello"]
    visits.watch(chat.page).problems.clear()  # the browser notes the refusal


def test_a_model_that_is_no_longer_offered_gives_way_to_the_usual_one(
    visits: Visits, site: Site, tutor: str, script: ScriptedUpstream
) -> None:
    gone, (offered, script.models) = "deepseek-gone", (script.models, ["deepseek-gone"])
    about = {"label": "gone", "secret": "sk-gone-0", "base_url": script.base_url, "provider_name": "Gone"}
    key = site.ask("POST", "/api/admin/keys", about)
    script.models = offered
    site.ask("PATCH", f"{ASSISTANTS}/{tutor}", {"model": gone})
    site.ask("DELETE", f"/api/admin/keys/{key['id']}")
    page = visits.open(f"/?assistant={tutor}")
    expect(page.get_by_text(say("js.assistant_model_gone", old=gone, name="Tutor"))).to_be_visible()
    expect(page.locator("[data-model] option:checked")).to_have_text("deepseek-flash")
    expect_no_fault(page, "en")
    page.goto("/assistants")
    page.get_by_role("button", name=say("js.assistants.edit", name="Tutor")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[name=model] option:checked")).to_have_text(say("js.assistants.model_gone", name=gone))
    write(page, say, name="Renamed")
    expect(page.locator("[data-assistant-list] > li").filter(has_text="Renamed")).to_contain_text(gone)
    assert site.ask("GET", f"{ASSISTANTS}/{tutor}")["model"] == gone


def test_the_palette_begins_with_one(visits: Visits, tutor: str) -> None:
    page = visits.open("/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.keyboard.type("assistants Tutor")
    expect(page.locator("#palette").get_by_role("option", selected=True)).to_contain_text("Tutor")
    page.keyboard.press("Enter")
    expect(chosen(page)).to_contain_text("Tutor")


@pytest.fixture
def shared(site: Site) -> Iterator[str]:
    """The id of one for everybody."""
    kept = site.ask("POST", SHARED, TUTOR | {"name": "For all"})["id"]
    yield kept
    site.ask("DELETE", f"{SHARED}/{kept}")


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_administrators_keep_some_for_others(locale: str, viewport: ViewportSize, visits: Visits, site: Site) -> None:
    say, page = words(locale), visits.open("/admin/assistants", locale=locale, viewport=viewport)
    kept = site.ask("POST", "/api/admin/groups", {"name": f"class {locale}"})["id"]
    page.reload()
    rows = page.locator("[data-assistant-list] > li")
    page.get_by_role("button", name=say("assistants.new")).click()
    page.get_by_role("dialog").locator("[name=group]").select_option(f"class {locale}")
    expect_no_fault(page, locale)
    write(page, say, name="Class", icon="📚", instructions="Never tell the answer.")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text([f"class {locale}"])
    expect(rows.locator("[data-edit]")).to_be_focused()
    expect_no_fault(page, locale)
    rows.locator("[data-edit]").click()
    expect(page.get_by_role("dialog").locator("[name=group]")).to_have_value(kept)
    page.get_by_role("dialog").locator("[name=group]").select_option("")
    write(page, say, name="Everybody's")
    expect(rows).to_contain_text([say("js.prompts.everybody")])
    rows.locator("[data-delete]").click()
    asked = page.get_by_role("alertdialog")
    asked.get_by_role("button", name=say("js.assistants.delete_action"), exact=True).click()
    expect(page.get_by_text(say("js.assistants.none"))).to_be_visible()
    site.ask("DELETE", f"/api/admin/groups/{kept}")


@pytest.mark.parametrize(("locale", "viewport"), LOOKS)
def test_one_for_everybody_is_begun_with_and_not_read(
    locale: str, viewport: ViewportSize, visits: Visits, shared: str, script: ScriptedUpstream
) -> None:
    say, page = words(locale), visits.open("/assistants", locale=locale, viewport=viewport)
    row = page.locator("[data-shared-assistants] > li")
    expect(row).to_contain_text(["For all"])
    expect(row).to_contain_text([say("assistants.for_site")])
    expect(page.get_by_text(TUTOR["instructions"])).to_have_count(0)
    expect_no_fault(page, locale)
    row.get_by_role("link", name=say("js.assistants.begin", name="For all")).click()
    expect(chosen(page)).to_contain_text("For all")
    chat = Chat(page, say)
    chat.ask("hello")
    assert script.journal.chats[-1].body["messages"][0] == TOLD
    expect(shown(page)).to_contain_text("For all")
    expect(page.get_by_text(TUTOR["instructions"])).to_have_count(0)
