"""Two instances of the real server that share a MariaDB and a Redis: an answer belongs to both."""

import hashlib
import threading
import time
from typing import Any

import pytest

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.runs.departure import GRACE_SECONDS
from flask_app.services.runs.stop_service import LOOK_SECONDS
from tests.support.brokers import PATIENCE, wait_until
from tests.support.instances import ENDLESS, WORDS, Site, begin, digest, some
from tests.support.redis_server import RedisServer
from tests.support.served import PASSWORD, Visitor
from tests.support.upstream_answers import Answer

SLACK_SECONDS = 4  # for a machine that has other things to do as well


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


@pytest.mark.security("closed-on-budgets")
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


@pytest.mark.security("change-holds-at-once")
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


def test_workers_of_one_instance_share_their_answers(site: Site) -> None:
    assert len(site.second.workers()) == 2
    _, run_id = begin(site, Answer(text=WORDS, tokens_per_second=60))
    readers = [site.second.follow(run_id) for _ in range(6)]
    assert {digest(some(reader, 10_000)) for reader in readers} == {hashlib.sha256(WORDS.encode()).hexdigest()}
