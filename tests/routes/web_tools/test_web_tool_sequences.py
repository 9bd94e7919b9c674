"""Many answers whose questions, and whose models, look things up at once: what each engine got is booked."""

import random

from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.runs import run_service
from tests.support import called, ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.called import calling
from tests.support.keys import keep_key
from tests.support.scripted_upstream import Answer, Opened, Pages, ScriptedUpstream, Status, Whole
from tests.support.together import at_once
from tests.support.upstream_journal import FETCH, SEARCH
from tests.support.web_searching import ORIGIN

HIGH, PAGE = ("web_search", '{"query": "how high"}'), ("web_fetch", '{"url": "https://example.com/a"}')
ROUNDS = (calling(HIGH), calling(PAGE), calling(HIGH, PAGE, HIGH), calling(("web_search", "{")), Answer("as you say"))
SEARCHES = (Pages(), Pages([]), Status(500), Status(429), Status(404), Whole())
OPENING = (Opened(), Opened({"markdown": ""}), Status(500), Status(402), Whole())
MANY = 24


def test_each_request_is_an_attempt_and_each_attempt_a_request(member: User, upstream: ScriptedUpstream) -> None:
    keep_key(web_searching.switch_on(), "second")
    drawn = random.Random(11)
    upstream.script(*(drawn.choice(SEARCHES) for _ in range(MANY * 4)), path=SEARCH)
    upstream.script(*(drawn.choice(OPENING) for _ in range(MANY * 4)), path=FETCH)
    upstream.script(*(drawn.choice(ROUNDS) for _ in range(MANY * 3)))
    upstream.default = Answer("that is all")

    def ask(number: int) -> None:
        draft = Draft(text="How high? https://example.com/b", search=number == 1, tools=("web",) if number else ())
        chat_service.send(member, draft, ORIGIN)

    for _ in range(MANY // 3):
        assert at_once(3, ask) == [None] * 3
        wait_until(lambda: not run_service.live_runs())
    upstream.journal.wait_until_idle()
    ledger_oracle.check(upstream.journal, ())
    assert {call.status for call in called.calls()} == {"done", "failed"}
    assert len(upstream.journal.fetches) > MANY // 3
    with reading() as session:
        numbers = [each.number for each in web_searching.sources()]
        assert session.scalars(select(Attempt.id).where(Attempt.state == "dispatched")).all() == []
    assert max(numbers) > 2, "they go on"
