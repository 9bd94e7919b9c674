"""A server that is restarted in the middle of an answer: the answer goes on by itself."""

import signal
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.chat import Chat
from tests.e2e.site import opened
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support import served
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
BEGINNING = Answer(text=" ".join(f"w{number}" for number in range(1, 4_000)) + " ", tokens_per_second=40)
REST = Answer(text="and the rest.")

pytestmark = pytest.mark.browser


def test_an_answer_goes_on_by_itself_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    with ScriptedUpstream() as provider:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with opened(tmp_path, provider, ANSWERS_MAY_FINISH_SECONDS="1", **settings) as site:
            site.set_up()
            visits = Visits(browser, site)
            chat, other = (Chat(visits.open("/"), say) for _ in range(2))
            provider.script(BEGINNING, REST)
            chat.send("Count.")
            expect(chat.prose).to_contain_text("w20 ")
            other.page.goto(chat.page.url)
            expect(other.prose).to_contain_text("w20 ")
            site.server.process.send_signal(signal.SIGTERM)
            site.server.process.wait(30)
            port = urlsplit(site.url).port or 80
            again = served.launch(tmp_path, port, site.server.environ)
            with again.process:
                try:
                    assert served.is_ready(again)
                    for reader in (chat, other):
                        expect(reader.prose).to_contain_text("and the rest.")
                        reader.wait_until_answered()
                        expect(reader.answers).to_have_count(1)
                    half = provider.journal.chats[-1].prefix
                    assert half
                    assert chat.copied_answer() == half + REST.text
                    assert BEGINNING.text.startswith(half)
                    assert len(provider.journal.chats) == 2, "both pages follow the one that goes on"
                    visits.close()
                    replace(site, server=again).server.assert_sound_ledger()
                finally:
                    again.process.send_signal(signal.SIGINT)
                    again.process.wait(30)


def test_an_answer_that_was_asked_to_stop_does_not_go_on_by_itself(browser: Browser, tmp_path: Path) -> None:
    with ScriptedUpstream() as provider:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with opened(tmp_path, provider, ANSWERS_MAY_FINISH_SECONDS="1", **settings) as site:
            site.set_up()
            visits = Visits(browser, site)
            chat = Chat(visits.open("/"), say)
            provider.script(BEGINNING, REST)
            chat.send("Count.")
            expect(chat.prose).to_contain_text("w20 ")
            chat.page.route("**/stop", lambda route: route.abort())  # the server ends before it hears of it
            chat.stop_button.click()
            site.server.process.send_signal(signal.SIGTERM)
            expect(chat.answer.get_by_text(say("js.answer_interrupted"))).to_be_visible()
            site.server.process.wait(30)
            again = served.launch(tmp_path, urlsplit(site.url).port or 80, site.server.environ)
            with again.process:
                try:
                    assert served.is_ready(again)
                    chat.page.wait_for_timeout(3_000)
                    assert len(provider.journal.chats) == 1
                    expect(chat.answer.get_by_role("button", name=say("chat.continue"), exact=True)).to_be_visible()
                    visits.close()
                finally:
                    again.process.send_signal(signal.SIGINT)
                    again.process.wait(30)
