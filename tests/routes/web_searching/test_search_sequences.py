"""Many questions at once, some looked up, on an engine that fails now and then: the books agree with what it saw."""

import random

from flask_app.models import User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.runs import run_service
from tests.support import ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.keys import keep_key
from tests.support.scripted_upstream import Answer, Opened, Pages, ScriptedUpstream, Status, Whole
from tests.support.together import at_once
from tests.support.upstream_journal import FETCH, SEARCH
from tests.support.web_searching import ORIGIN, QUESTION

SCRIPTS = (Pages(), Pages([]), Status(500), Status(401), Status(429), Whole(), Pages())
OPENING = (Opened(), Opened({"markdown": ""}), Status(500), Status(404), Status(429), Whole())
LINKS = ("", " https://example.com/a", " https://example.com/a https://example.com/b")
MANY = 24


def test_each_request_is_an_attempt_and_each_attempt_a_request(member: User, upstream: ScriptedUpstream) -> None:
    provider_id = web_searching.switch_on()
    keep_key(provider_id, "second")
    drawn = random.Random(7)
    upstream.script(*(drawn.choice(SCRIPTS) for _ in range(MANY * 2)), path=SEARCH)
    upstream.script(*(drawn.choice(OPENING) for _ in range(MANY * 4)), path=FETCH)
    upstream.default = Answer("as you say")

    def ask(number: int) -> None:
        chat_service.send(member, Draft(text=QUESTION + LINKS[number], search=number > 0), ORIGIN)

    for _ in range(MANY // 3):
        assert at_once(3, ask) == [None] * 3
        wait_until(lambda: not run_service.live_runs())
    upstream.journal.wait_until_idle()
    ledger_oracle.check(upstream.journal, ())
    statuses = {search.status for search in web_searching.searches()}
    assert statuses == {"found", "empty", "failed"}
    assert len(web_searching.searches()) == MANY * 2 // 3
    assert len(upstream.journal.chats) == MANY
    assert len(upstream.journal.fetches) >= MANY
