"""A model that is gone: its conversation opens, says who goes on, and goes on."""

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, ScriptedUpstream

pytestmark = pytest.mark.browser


@pytest.fixture
def gone(look: Look) -> str:
    return f"deepseek-old-{look.locale}"


@pytest.fixture
def conversation(look: Look, site: Site, script: ScriptedUpstream, gone: str) -> str:
    """The address of a conversation with a model that no key opens any more."""
    former = {
        "label": "former",
        "secret": "sk-former-0",
        "base_url": script.base_url,
        "provider_name": f"Former {look.locale}",
    }
    offered, script.models = script.models, [gone]
    key = site.ask("POST", "/api/admin/keys", former)
    script.models = offered
    events = list(site.server.chat("hello", model=gone))
    site.ask("DELETE", f"/api/admin/keys/{key['id']}")
    return f"/c/{events[0][1]['conversation_id']}"


def test_the_successor_is_named_on_the_page_and_goes_on(
    look: Look, gone: str, conversation: str, visits: Visits, site: Site
) -> None:
    say, page = look.say, look.open(visits, "/admin/models")
    page.get_by_role("button", name=say("js.admin.edit_model", name=gone)).click()
    dialog = page.get_by_role("dialog", name=gone)
    dialog.get_by_label(say("admin.aliases")).fill(f"Grandfather {gone}\n\nelder {gone}")
    dialog.get_by_label(say("admin.successor")).select_option(label="deepseek-v4-pro · DeepSeek")
    dialog.get_by_role("button", name=say("base.save")).click()
    row = page.get_by_role("listitem").filter(has_text=gone)
    expect(row).to_contain_text(say("js.admin.followed_by", name="deepseek-v4-pro"))
    expect(row).to_contain_text(say("js.admin.separator").join([f"elder {gone}", f"Grandfather {gone}"]))
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)

    chat = Chat(look.open(visits, conversation), say)
    expect(chat.page.get_by_text(say("js.model_gone", old=gone, name="deepseek-v4-pro"))).to_be_visible()
    look.expect_no_fault(chat.page)
    chat.ask("Are you still there?")
    expect(chat.prose.last).to_have_text(Answer().text)
    assert site.provider.journal.chats[-1].model == "deepseek-v4-pro"
    chat.page.reload()
    expect(chat.prose.last).to_have_text(Answer().text)
    expect(chat.page.locator("[data-model-note]")).to_be_hidden()


def test_whether_a_model_sees_pictures_is_said(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, "deepseek-v4-pro"
    page = look.open(visits, "/admin/models")
    row = page.get_by_role("listitem").filter(has_text=name)
    for sees in (True, False):
        page.get_by_role("button", name=say("js.admin.edit_model", name=name)).click()
        dialog = page.get_by_role("dialog", name=name)
        switch = dialog.get_by_role("switch", name=say("admin.model_sees"))
        expect(switch).to_be_checked(checked=not sees)
        look.expect_no_fault(page)
        switch.set_checked(sees)
        dialog.get_by_role("button", name=say("base.save")).click()
        expect(dialog).to_be_hidden()
        expect(row.get_by_text(say("js.admin.model_sees"))).to_be_visible(visible=sees)
        (told,) = [each["sees"] for each in site.ask("GET", "/api/models")["models"] if each["name"] == name]
        assert told == sees
