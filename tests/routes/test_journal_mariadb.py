"""A MariaDB of its own that dies, hangs, or answers a COMMIT that nobody hears, just as an answer ends."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from flask_app import config as settings
from flask_app import database
from flask_app.config import Config
from flask_app.database import reading, transaction
from flask_app.models import Attempt, Message, Run, TokenUsage, User
from flask_app.services import beginning, chat_service, model_service, replay_service, run_service
from flask_app.services.chat_service import Draft, Origin
from tests.support import mariadb, proxies, storage
from tests.support.brokers import wait_until
from tests.support.events import ServerEvent, events_of
from tests.support.gateway import Program, made
from tests.support.mariadb import MariaDB
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
ANSWER = Answer("the whole of the answer", usage=Usage(prompt=1000, cached=600, completion=500))


@dataclass
class Site:
    server: MariaDB
    proxy: proxies.Proxy
    actor: User
    journal: Path

    def files(self) -> list[Path]:
        return list(self.journal.glob("*.json"))


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    with mariadb.running() as running:
        storage.migrate(running.url)
        yield running


@pytest.fixture
def site(
    app: Flask, base_config: Config, server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """The application with its database behind a proxy."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.2,))
    monkeypatch.setattr(database, "REPLY_SECONDS", 1)
    with proxies.before(server.port) as proxy:
        url = make_url(server.url).set(port=proxy.port).render_as_string(hide_password=False)
        seeds = storage.Seeds(server.url)
        database.connect(url)
        settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
        actor = User(username="founder", username_key="founder", role="member")
        with transaction() as session:
            session.add(actor)
        yield Site(server, proxy, actor, tmp_path / "journal")
        run_service.shutdown()
        seeds.restore()
        database.connect(base_config.database_url)
        settings.install(base_config)


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


def test_a_message_whose_commit_is_not_confirmed_is_answered_all_the_same(
    site: Site, upstream: ScriptedUpstream
) -> None:
    upstream.script(ANSWER)
    model_service.prepare()  # commits the environment's key
    site.proxy.lose_the_next_commit()
    begun = chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    assert site.proxy.lost.is_set()
    told = b"".join(run_service.read(site.actor, begun.run_id, after=0, locale="en"))
    assert events_of(told)[-1].data["status"] == "complete"
    assert len(upstream.journal.chats) == 1
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["settled"]


def refused_in_doubt(site: Site, ask: Callable[[], object], *, delivers: bool) -> None:
    """What `ask` writes has no reply to its COMMIT, and nobody can say what became of it."""
    site.proxy.hang_at_the_next_commit(delivers=delivers)
    with pytest.raises(OperationalError):
        ask()
    assert site.proxy.lost.is_set()
    assert run_service.live_runs() == []
    site.proxy.mend()


def attempts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attempt.state)))


def doubts() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("doubt-")]


def test_a_message_that_is_committed_late_is_answered_once(site: Site, upstream: ScriptedUpstream) -> None:
    upstream.default = ANSWER
    model_service.prepare()
    draft = Draft(text="hello", idempotency_key="the same")
    refused_in_doubt(site, lambda: chat_service.send(site.actor, draft, ORIGIN), delivers=True)
    again = chat_service.send(site.actor, draft, ORIGIN)
    told = b"".join(run_service.read(site.actor, again.run_id, after=0, locale="en"))
    assert events_of(told)[-1].data["status"] == "complete"
    assert len(upstream.journal.chats) == 1
    with reading() as session:
        assert session.scalars(select(TokenUsage.source)).all() == ["reported"]
    assert attempts() == ["settled"]


def test_a_message_whose_commit_never_arrives_is_forgotten(site: Site, upstream: ScriptedUpstream) -> None:
    model_service.prepare()
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=False)
    wait_until(lambda: not doubts())
    assert run_service.live_runs() == []
    assert (attempts(), len(upstream.journal.chats)) == ([], 0)


def test_what_a_reaper_elsewhere_ended_meanwhile_is_not_asked(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "ASK_SECONDS", 3)
    model_service.prepare()
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=True)
    wait_until(lambda: attempts() != [])
    with transaction() as session:
        session.execute(update(Run).values(status="interrupted"))
    wait_until(lambda: not doubts())
    assert len(upstream.journal.chats) == 0


def test_a_programs_request_that_is_committed_late_is_not_asked_and_costs_nothing(
    site: Site, app: Flask, upstream: ScriptedUpstream
) -> None:
    model_service.prepare()
    program = Program(app, made(site.actor).secret)
    site.proxy.hang_at_the_next_commit(delivers=True)
    assert program.complete().status_code == 503
    site.proxy.mend()
    assert len(site.files()) == 1
    wait_until(lambda: attempts() != [])
    replay_service.replay()
    assert (attempts(), site.files(), len(upstream.journal.chats)) == (["released"], [], 0)
    with reading() as session:
        assert session.scalars(select(Run.id)).all() == []
        assert session.scalars(select(TokenUsage.id)).all() == []


def test_a_message_that_was_not_committed_is_refused(site: Site, upstream: ScriptedUpstream) -> None:
    site.proxy.refuse()
    with pytest.raises(OperationalError):
        chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    site.proxy.mend()
    assert run_service.live_runs() == []
    assert len(upstream.journal) == 0


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
    assert max(told) < 4, "a ping of a second and a connection of another, and not six times as long"
