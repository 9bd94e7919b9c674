"""A model that is gone: its conversation opens, says who goes on, and goes on."""

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

en = words("en")
GONE = "deepseek-old"

pytestmark = pytest.mark.browser


@pytest.fixture
def conversation(site: Site, script: ScriptedUpstream) -> str:
    """The address of a conversation with a model that no key opens any more."""
    former = {"label": "former", "secret": "sk-former-0", "base_url": script.base_url, "provider_name": "Former"}
    offered, script.models = script.models, [GONE]
    key = site.ask("POST", "/api/admin/keys", former)
    script.models = offered
    events = list(site.server.chat("hello", model=GONE))
    site.ask("DELETE", f"/api/admin/keys/{key['id']}")
    return f"/c/{events[0][1]['conversation_id']}"


def test_the_successor_is_named_on_the_page_and_goes_on(conversation: str, visits: Visits, site: Site) -> None:
    page = visits.open("/admin/models")
    page.get_by_role("button", name=en("js.admin.edit_model", name=GONE)).click()
    dialog = page.get_by_role("dialog", name=GONE)
    dialog.get_by_label(en("admin.aliases")).fill("Grandfather\n\nelder")
    dialog.get_by_label(en("admin.successor")).select_option(label="deepseek-v4-pro · DeepSeek")
    dialog.get_by_role("button", name=en("base.save")).click()
    row = page.get_by_role("listitem").filter(has_text=GONE)
    expect(row).to_contain_text(en("js.admin.followed_by", name="deepseek-v4-pro"))
    expect(row).to_contain_text("elder, Grandfather")

    chat = Chat(visits.open(conversation), en)
    expect(chat.page.get_by_text(en("js.model_gone", old=GONE, name="deepseek-v4-pro"))).to_be_visible()
    chat.ask("Are you still there?")
    expect(chat.prose.last).to_have_text(Answer().text)
    assert site.provider.journal.last.model == "deepseek-v4-pro"
    chat.page.reload()
    expect(chat.prose.last).to_have_text(Answer().text)
    expect(chat.page.locator("[data-model-note]")).to_be_hidden()
