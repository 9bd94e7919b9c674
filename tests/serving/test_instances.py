"""Two instances of the real server that share a MariaDB and a Redis: an answer belongs to both."""

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.departure import GRACE_SECONDS
from flask_app.services.stop_service import LOOK_SECONDS
from tests.support import mariadb, storage
from tests.support.brokers import PATIENCE, wait_until
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, Served, Stream, Visitor, served
from tests.support.upstream_answers import Answer

REAPED_SECONDS = 40  # an instance that has just begun gives others the time to renew first
WORDS = " ".join(f"word{number}" for number in range(200))
ENDLESS = Answer(text=WORDS * 20, tokens_per_second=40)
FINISH_SECONDS = 40
SLACK_SECONDS = 4  # for a machine that has other things to do as well


@dataclass
class Site:
    """The second instance has two workers."""

    first: Served
    second: Served
    database: Engine
    upstream: ScriptedUpstream

    def lease_runs_out(self) -> None:
        """As if half a minute had passed without a word from the worker."""
        with self.database.begin() as connection:
            connection.execute(text("UPDATE runs SET lease_expires_at = UTC_TIMESTAMP() - INTERVAL 1 SECOND"))

    def row(self, query: str, **values: str) -> Any:
        with self.database.connect() as connection:
            return connection.execute(text(query), values).one()


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with mariadb.server() as url:
        storage.migrate(url)
        yield url


@pytest.fixture
def site(database_url: str, redis: RedisServer, tmp_path: Path) -> Iterator[Site]:
    engine = create_engine(database_url)
    with ExitStack() as stack:
        upstream = stack.enter_context(ScriptedUpstream())
        settings = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "the key that only these two instances know",
            "ENCRYPTION_KEY": "another key that only these instances know",
            "DEEPSEEK_API_KEY": "test-key",
            "DEEPSEEK_BASE_URL": upstream.base_url,
            "ALLOW_INSECURE_UPSTREAMS": "1",
            "CHAT_RATE_LIMIT": "1000 per minute",
            "ANSWERS_MAY_FINISH_SECONDS": str(FINISH_SECONDS),
        }
        first = stack.enter_context(served(tmp_path / "first", **settings))
        second = stack.enter_context(served(tmp_path / "second", WEB_CONCURRENCY="2", **settings))
        first.set_up()
        second.headers = first.headers
        for instance in (first, second):
            wait_until(lambda instance=instance: instance.get("/readyz").json()["status"] == "ok")  # type: ignore[misc]
        yield Site(first, second, engine, upstream)
        second.assert_sound_ledger()
    _empty(engine)
    redis.start_again()


def _empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET foreign_key_checks = 0"))
        for table in (
            "users",
            "settings",
            "conversations",
            "messages",
            "runs",
            "proxy_logs",
            "token_usage",
            "usage_hourly",
            "spent_daily",
            "spent_monthly",
        ):
            connection.execute(text(f"TRUNCATE {table}"))
        connection.execute(text("SET foreign_key_checks = 1"))
        connection.execute(text("UPDATE `groups` SET on_disconnect = 'continue'"))
    engine.dispose()


def begin(site: Site, answer: Answer) -> tuple[Stream, str]:
    """An answer that the first instance makes, and that has begun to come."""
    site.upstream.script(answer)
    stream = site.first.chat("Go.")
    events = iter(stream)
    run_id: str = next(events)[1]["run_id"]
    while next(events)[0] != "token":
        pass
    return stream, run_id


def some(stream: Stream, count: int) -> list[tuple[int, str, dict[str, Any]]]:
    taken = []
    for name, event in stream:
        taken.append((stream.last_id, name, event))
        if len(taken) == count:
            break
    stream.close()
    return taken


def digest(events: list[tuple[int, str, dict[str, Any]]]) -> str:
    said = "".join(event["text"] for _, name, event in events if name == "token")
    return hashlib.sha256(said.encode()).hexdigest()


def test_an_answer_is_followed_across_instances_without_a_gap(site: Site) -> None:
    stream, run_id = begin(site, Answer(text=WORDS, tokens_per_second=100))
    stream.close()
    had: list[tuple[int, str, dict[str, Any]]] = []
    for instance in (site.second, site.first, site.second):
        had += some(instance.follow(run_id, after=len(had)), 40)
    had += some(site.first.follow(run_id, after=len(had)), 10_000)
    assert [number for number, _, _ in had] == list(range(1, len(had) + 1))
    assert had[-1][1] == "done"
    assert digest(had) == hashlib.sha256(WORDS.encode()).hexdigest()
    assert digest(some(site.second.follow(run_id), 10_000)) == digest(had)


def test_without_redis_stop_waits_for_one_look_at_the_database_at_most(site: Site, redis: RedisServer) -> None:
    assert LOOK_SECONDS < 1
    redis.kill()
    for _ in range(3):
        _, run_id = begin(site, ENDLESS)
        asked = time.monotonic()
        assert site.second.post(f"/api/runs/{run_id}/stop", {}).json() == {"status": "stopping"}
        site.upstream.journal.wait_until_idle()
        assert time.monotonic() - asked < LOOK_SECONDS + SLACK_SECONDS
        wait_until(lambda: site.row("SELECT COUNT(*) AS n FROM runs WHERE status = 'running'").n == 0)


def test_stop_on_one_instance_closes_the_provider_on_the_other(site: Site) -> None:
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    asked = time.monotonic()
    assert site.second.post(f"/api/runs/{run_id}/stop", {}).json() == {"status": "stopping"}
    site.upstream.journal.wait_until_idle()
    assert time.monotonic() - asked < LOOK_SECONDS + SLACK_SECONDS
    assert site.upstream.journal.last.closed_early
    assert some(follower, 10_000)[-1][2]["status"] == "stopped"


def test_an_instance_that_ends_tells_the_readers_of_the_other(site: Site) -> None:
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    site.first.process.send_signal(signal.SIGINT)
    ended = time.monotonic()
    last = some(follower, 10_000)[-1]
    assert time.monotonic() - ended < 15, "long before its lease runs out"
    assert last[2]["status"] == "interrupted"


def test_what_an_instance_that_is_killed_had_kept_is_told_everywhere_and_counted_once(site: Site) -> None:
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    message = "SELECT m.text, m.status FROM messages m JOIN runs r ON r.message_id = m.id WHERE r.id = :run"
    # Long enough that Redis, a tenth of a second behind, has some of it too.
    wait_until(lambda: len(site.row(message, run=run_id).text) > 100)
    site.first.signal(signal.SIGKILL)
    site.lease_runs_out()
    seen = some(follower, 10_000)
    assert seen[-1][1:] == ("error", seen[-1][2] | {"code": "interrupted"})
    kept = site.row(message, run=run_id)
    assert kept.status == "interrupted"
    assert digest(seen) != hashlib.sha256(b"").hexdigest(), "what had come was shown"
    again = some(site.second.follow(run_id, after=10**8), 100)
    assert "".join(event["text"] for _, name, event in again if name == "token") == kept.text
    entry = site.row("SELECT count(*) AS entries, min(outcome) AS outcome FROM token_usage")
    assert (entry.entries, entry.outcome) == (1, "interrupted")


def test_an_instance_that_comes_back_from_the_dead_changes_nothing(site: Site) -> None:
    stream, run_id = begin(site, Answer(text=WORDS, tokens_per_second=20))
    site.first.signal(signal.SIGSTOP)
    site.lease_runs_out()
    everything = (
        "SELECT r.status, m.status AS told, m.text,"
        " count(t.id) AS entries, min(t.id) AS entry, min(t.outcome) AS outcome"
        " FROM runs r JOIN messages m ON m.id = r.message_id LEFT JOIN token_usage t ON t.message_id = m.id"
        " WHERE r.id = :run GROUP BY r.id, m.id"
    )
    wait_until(lambda: site.row(everything, run=run_id).status == "interrupted", REAPED_SECONDS)
    left = site.row(everything, run=run_id)
    assert (left.told, left.entries, left.outcome) == ("interrupted", 1, "interrupted")
    site.first.signal(signal.SIGCONT)
    site.upstream.journal.wait_until_idle()
    rest = some(stream, 10_000)
    assert rest[-1][1] in {"done", "error"}
    assert site.row(everything, run=run_id) == left


def test_a_redis_that_dies_leaves_the_answer_to_the_database(site: Site, redis: RedisServer) -> None:
    stream, run_id = begin(site, Answer(text=WORDS, tokens_per_second=60))
    follower = site.second.follow(run_id)
    redis.kill()
    whole = some(stream, 10_000)
    assert whole[-1][1] == "done", "those beside the run notice nothing"
    told = some(follower, 10_000)
    begun = max(place for place, (_, name, _) in enumerate(told) if name == "start")
    assert digest(told[begun:]) == hashlib.sha256(WORDS.encode()).hexdigest()
    assert site.second.get("/readyz").json() == {
        "status": "degraded",
        "missing": ["redis"],
        "checks": {"database": "ok", "redis": "away"},
    }
    redis.start()
    wait_until(lambda: site.second.get("/readyz").json()["status"] == "ok")


@pytest.mark.parametrize("redis_dies", [False, True])
def test_a_reader_on_another_instance_has_not_left(site: Site, redis: RedisServer, *, redis_dies: bool) -> None:
    site.first.ask("PATCH", f"/api/admin/groups/{DEFAULT_GROUP_ID}", {"on_disconnect": "stop"})
    status = "SELECT status FROM runs WHERE id = :run"
    (stream, followed), (other_stream, unread) = begin(site, ENDLESS), begin(site, ENDLESS)
    follower = site.second.follow(followed)
    next(iter(follower))
    stream.close()
    other_stream.close()
    if redis_dies:
        redis.kill()
    reader = threading.Thread(target=some, args=(follower, 10_000), daemon=True)
    reader.start()
    wait_until(lambda: site.row(status, run=unread).status == "left", GRACE_SECONDS + PATIENCE)
    time.sleep(3)
    assert site.row(status, run=followed).status == "running"
    site.second.post(f"/api/runs/{followed}/stop", {})
    reader.join(PATIENCE)
    assert site.row(status, run=followed).status == "stopped"
    assert site.row("SELECT count(*) AS entries FROM token_usage WHERE outcome IN ('left', 'stopped')").entries == 2


def test_a_right_or_a_budget_that_was_taken_away_is_gone_on_every_worker(site: Site) -> None:
    people = "/api/admin/users"
    added = site.first.post(people, {"username": "second", "role": "admin", "password": PASSWORD})
    user_id = added.json()["user"]["id"]
    other = Visitor(site.second.base_url)
    credentials = {"username": "second", "password": PASSWORD}

    def seen() -> set[int]:
        """What the second instance's two workers answer: which of them does is chance."""
        return {other.get(people).status for _ in range(12)}

    other.sign_in(other.post("/api/login", credentials))
    assert seen() == {200}
    assert site.first.ask("PATCH", f"{people}/{user_id}", {"role": "member"}).status == 200
    assert seen() == {401}
    other.headers = {}
    other.sign_in(other.post("/api/login", credentials))
    assert seen() == {403}
    list(other.chat("There is no budget yet."))
    budget = {"scope": "site", "scope_id": "", "unit": "tokens", "period": "day", "limit": 1}
    made = site.first.post("/api/admin/budgets", budget)
    assert made.status == 201
    assert {other.post("/api/chat", {"message": "And now?"}).status for _ in range(12)} == {429}
    assert site.first.ask("DELETE", f"/api/admin/budgets/{made.json()['id']}", None).status == 204
    list(other.chat("Again."))


def test_an_instance_that_ends_waits_for_no_answer_of_others(site: Site) -> None:
    """Its readers are let go at once, and find the answer where it is made."""
    _, run_id = begin(site, ENDLESS)
    follower = site.second.follow(run_id)
    events = iter(follower)
    while next(events)[0] != "token":
        pass
    site.second.process.send_signal(signal.SIGTERM)
    ended = time.monotonic()
    assert {name for name, _ in events} <= {"token"}
    site.second.process.wait(60)
    assert time.monotonic() - ended < FINISH_SECONDS - 5, "kept until its patience ends"
    ((number, _, _),) = some(site.first.follow(run_id, after=follower.last_id), 1)
    assert number == follower.last_id + 1


def test_an_instance_that_ends_does_not_wait_for_a_dead_one(site: Site) -> None:
    """Whose answer's end is known once its lease has run out, and not before."""
    site.upstream.script(ENDLESS)
    run_id = next(iter(site.second.chat("Go.")))[1]["run_id"]
    site.second.signal(signal.SIGKILL)
    follower = iter(site.first.follow(run_id))
    site.first.process.send_signal(signal.SIGTERM)
    site.first.process.wait(FINISH_SECONDS - 5)
    assert site.row("SELECT status FROM runs WHERE id = :run", run=run_id).status == "running"
    assert {name for name, _ in follower} <= {"start", "token"}


def test_workers_of_one_instance_share_their_answers(site: Site) -> None:
    assert len(site.second.workers()) == 2
    _, run_id = begin(site, Answer(text=WORDS, tokens_per_second=60))
    readers = [site.second.follow(run_id) for _ in range(6)]
    assert {digest(some(reader, 10_000)) for reader in readers} == {hashlib.sha256(WORDS.encode()).hexdigest()}
