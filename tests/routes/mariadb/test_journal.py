"""A MariaDB of its own that dies, hangs, or answers a COMMIT that nobody hears, just as an answer ends."""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from flask_app.database import reading
from flask_app.models import Attempt, Message, TokenUsage
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from tests.routes.mariadb.site import ANSWER, ORIGIN, Site
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply


class Faulty:
    """Something happens to the database before the provider's answer arrives."""

    def __init__(self, fault: Callable[[], None]) -> None:
        self._fault = fault

    def play(self, reply: Reply, request: Received) -> None:
        self._fault()
        ANSWER.play(reply, request)


def following(site: Site, mend: Callable[[], None]) -> list[ServerEvent]:
    """The events of an answer; `mend` is called when its reader hears that it is not saved."""
    begun, events = chat_service.send(site.actor, Draft(text="hello"), ORIGIN), list[ServerEvent]()
    for frame in run_service.read(site.actor, begun.run_id, after=0, locale="en"):
        for event in events_of(frame):
            if event.data.get("code") == "not_saved_yet":
                assert len(site.files()) == 1
                mend()
            events.append(event)
    return events


def assert_booked_once(site: Site, events: list[ServerEvent]) -> None:
    assert [event.name for event in events[-3:]] == ["error", "usage", "done"]
    assert events[-1].data["status"] == "complete"
    with reading() as session:
        entry = session.scalars(select(TokenUsage)).one()
        assert (entry.source, entry.prompt_tokens, entry.completion_tokens) == ("reported", 1000, 500)
        assert session.scalars(select(Attempt.state)).all() == ["settled"]
        answer = session.scalars(select(Message).where(Message.role == "assistant")).one()
        assert (answer.status, answer.text) == ("complete", ANSWER.text)
    assert site.files() == []


def test_a_server_that_dies_and_comes_back(site: Site, upstream: ScriptedUpstream) -> None:
    upstream.script(Faulty(site.server.kill))
    assert_booked_once(site, following(site, site.server.start))


def test_a_server_that_hangs_is_as_good_as_away(site: Site, upstream: ScriptedUpstream) -> None:
    upstream.script(Faulty(site.server.halt))
    assert_booked_once(site, following(site, site.server.resume))


def test_a_commit_whose_reply_is_lost_is_one_entry(site: Site, upstream: ScriptedUpstream) -> None:
    upstream.script(Faulty(site.proxy.lose_the_next_commit))
    events = following(site, lambda: None)
    assert site.proxy.lost.is_set()
    assert_booked_once(site, events)


def test_a_message_that_was_not_committed_is_refused(site: Site, upstream: ScriptedUpstream) -> None:
    site.proxy.refuse()
    with pytest.raises(OperationalError):
        chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    site.proxy.mend()
    assert run_service.live_runs() == []
    assert len(upstream.journal) == 0


@pytest.mark.security("closed-on-budgets")
def test_nobody_waits_in_turn_for_a_database_that_hangs(site: Site) -> None:
    """In a fresh process everybody prepares what is served, and is told by themselves that it cannot be."""
    site.proxy.hang()
    began, told = time.monotonic(), list[float]()

    def ask() -> None:
        with pytest.raises(OperationalError):
            model_service.prepare()
        told.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site.proxy.mend()
    assert len(told) == 6
    assert max(told) < 12, "a ping of two seconds and a connection of as many, and not six times as long"
