"""What goes wrong is said in a sentence, and nothing that somebody wrote is lost."""

import pytest
from playwright.sync_api import Route, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ErrorEvent, Raw, ScriptedUpstream, Status
from tests.support.served import USERNAME

say = words("en")
QUESTION = "Is anybody there?"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def test_a_wrong_password_is_told_and_the_name_stays(visits: Visits) -> None:
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, say, username=USERNAME, password="not the password at all")
    expect(page.get_by_role("alert")).to_have_text(say("error.wrong_credentials"))
    expect(page.get_by_label(say("auth.username"), exact=True)).to_have_value(USERNAME)


def test_a_name_that_is_taken_is_told_in_the_dialog(visits: Visits) -> None:
    page = visits.open("/admin/users")
    page.get_by_role("button", name=say("admin.new_user")).click()
    dialog = page.get_by_role("dialog", name=say("admin.new_user"))
    name = dialog.get_by_label(say("auth.username"), exact=True)
    name.fill(USERNAME.upper())
    dialog.get_by_role("button", name=say("admin.create")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("error.username_taken"))
    expect(name).to_have_value(USERNAME.upper())


def test_an_empty_message_is_not_sent(chat: Chat, script: ScriptedUpstream) -> None:
    for empty in ("", "   \n  "):
        chat.send(empty)
        expect(chat.send_button).to_be_disabled()
    expect(chat.questions).to_have_count(0)
    assert not script.journal.chats


def test_a_message_over_200_kb_is_told_and_stays(chat: Chat, script: ScriptedUpstream) -> None:
    long = "很长" * 33_334
    chat.send(long)
    expect(chat.problem).to_contain_text(say("js.message_too_long", size=201, limit=200))
    expect(chat.text).to_have_value(long)
    assert not script.journal.chats


def test_a_model_that_is_gone_is_told_and_the_draft_stays(chat: Chat, script: ScriptedUpstream) -> None:
    chat.models.evaluate("select => { select.selectedOptions[0].value = 'no-such-model' }")
    chat.send(QUESTION)
    expect(chat.problem).to_contain_text(say("error.unknown_model", model="no-such-model"))
    expect(chat.text).to_have_value(QUESTION)
    chat.page.reload()
    expect(chat.text).to_have_value(QUESTION)
    chat.enter()
    expect(chat.prose).to_have_text(Answer().text)


def test_a_dead_provider_is_told_and_the_question_stays(visits: Visits, site: Site) -> None:
    with ScriptedUpstream() as dead:
        dead.models = ["ghost-1"]
        key = site.ask("POST", "/api/admin/keys", {"label": "ghost", "secret": "sk-ghost-1", "base_url": dead.base_url})
    chat = Chat(visits.open("/"), say)
    chat.models.select_option(label="ghost-1")
    chat.ask(QUESTION)
    expect(chat.answer.get_by_role("alert")).to_contain_text(say("error.upstream_unreachable"))
    chat.page.reload()
    expect(chat.questions).to_have_text(QUESTION)
    expect(chat.answer.get_by_role("alert")).to_contain_text(say("error.upstream_unreachable"))
    expect(chat.answer.get_by_role("button", name=say("base.retry"))).to_be_visible()
    site.ask("DELETE", f"/api/admin/keys/{key['id']}")


def test_a_provider_that_hangs_up_is_told_with_a_way_to_try_again(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    script.script(*[Raw(parts=(), resets=True)] * 2)  # the only key is asked twice
    chat.ask(QUESTION)
    site.ask("DELETE", "/api/admin/keys/environment/bench")
    expect(chat.answer.get_by_role("alert")).to_contain_text(say("error.upstream_cut"))
    chat.page.reload()
    chat.answer.get_by_role("button", name=say("base.retry")).click()
    expect(chat.prose).to_have_text(Answer().text)
    expect(chat.questions).to_have_count(1)


def test_a_provider_that_refuses_the_key_is_told_with_the_way_to_the_keys(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Status(401))
    chat.ask(QUESTION)
    expect(chat.answer.get_by_role("alert")).to_contain_text(say("error.upstream_key_refused"))
    expect(chat.answer.get_by_role("link", name=say("js.see_keys"))).to_have_attribute("href", "/admin/keys")
    chat.ask(QUESTION)
    expect(chat.prose).to_have_text(Answer().text)


def test_an_answer_that_breaks_off_keeps_what_had_come(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    script.script(ErrorEvent(after="The first half, and"))
    chat.ask(QUESTION)
    expect(chat.prose).to_have_text("The first half, and")
    expect(chat.answer.get_by_role("alert")).to_be_visible()
    chat.page.reload()
    expect(chat.prose).to_have_text("The first half, and")
    [entry] = site.rows("SELECT outcome, source, completion_tokens FROM token_usage ORDER BY id DESC LIMIT 1")
    assert (entry["outcome"], entry["source"]) == ("interrupted", "estimated")
    assert entry["completion_tokens"] > 0


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_server_out_of_reach_is_told_and_the_draft_stays(
    visits: Visits, script: ScriptedUpstream, locale: str
) -> None:
    def drop(route: Route) -> None:
        route.abort("connectionrefused")

    chat = Chat(visits.open("/", locale=locale), words(locale))
    chat.page.route("**/api/chat", drop)
    chat.send(QUESTION)
    expect(chat.problem).to_contain_text(chat.say("js.error.offline"))
    expect_no_fault(chat.page, locale)
    expect(chat.text).to_have_value(QUESTION)
    chat.page.unroute("**/api/chat", drop)
    chat.enter()
    expect(chat.prose).to_have_text(Answer().text)
    assert len(script.journal.chats) == 1
