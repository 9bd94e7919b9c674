"""Calls of tools in an answer that one instance makes: the person allows, refuses and stops them at the other."""

import os
import signal
import time
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.runs.run_following import REPLAYED
from flask_app.services.runs.stop_service import LOOK_SECONDS
from tests.support.brokers import wait_until
from tests.support.called import QUESTION, calling
from tests.support.instances import REAPED_SECONDS, Site, done, some
from tests.support.mcp_server import McpServer
from tests.support.redis_server import RedisServer
from tests.support.served import Stream
from tests.support.upstream_answers import Answer

SLACK_SECONDS = 4  # for a machine that has other things to do as well
WORDS = '{"words": "hello"}'
ECHO, HANGS = ("Workshop__echo", WORDS), ("Workshop__hangs", WORDS)
SERVERS = "/api/admin/tool-servers"
CALLS = "SELECT id, status, COALESCE(error_code, '') AS code FROM tool_calls ORDER BY position"


def begin(site: Site, workshop: McpServer, *calls: tuple[str, str], confirms: bool = True) -> tuple[Stream, str]:
    """An answer of the first instance whose calls are on their way, or wait."""
    added = {"name": "Workshop", "url": workshop.url, "groups": [DEFAULT_GROUP_ID], "confirms": confirms}
    server_id = done(site, "POST", SERVERS, added)["id"]
    seen = site.first.post(f"{SERVERS}/{server_id}/look", {}).json()["seen"]
    done(site, "PUT", f"{SERVERS}/{server_id}/tools", {"seen": seen, "enabled": ["echo", "hangs"]})
    workshop.called.clear()
    site.upstream.script(calling(*calls, text="I look."), Answer("So be it."))
    asked = {"message": QUESTION, "tools": [server_id]}
    stream = Stream(site.first.ask("POST", "/api/chat", asked, whole=False))
    _, start = next(iter(stream))
    wait_until(lambda: len(rows(site, CALLS)) == len(calls))
    return stream, start["run_id"]


def rows(site: Site, query: str) -> list[tuple[Any, ...]]:
    with site.database.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def standing(site: Site) -> list[tuple[str, str]]:
    return [(status, code) for _, status, code in rows(site, CALLS)]


def attempts(site: Site) -> list[str]:
    return [state for (state,) in rows(site, "SELECT state FROM proxy_logs ORDER BY id")]


def noted(site: Site) -> list[str]:
    """How the calls of these answers went, as the audit log has it."""
    query = "SELECT a.details FROM audit_log a JOIN tool_calls c ON c.id = a.id ORDER BY c.position"
    return [details for (details,) in rows(site, query)]


def statuses(told: list[tuple[int, str, dict[str, Any]]]) -> list[str]:
    return [event["status"] for _, name, event in told if name == "tool"]


def decide(site: Site, run_id: str, place: int, **body: bool) -> int:
    call_id = rows(site, CALLS)[place][0]
    return site.second.post(f"/api/runs/{run_id}/calls/{call_id}", body).status


@pytest.mark.parametrize("has_redis", [True, False])
def test_what_is_allowed_at_the_other_instance_is_made(
    site: Site, workshop: McpServer, redis: RedisServer, *, has_redis: bool
) -> None:
    stream, run_id = begin(site, workshop, ECHO, HANGS)
    if not has_redis:
        redis.kill()
    assert workshop.called == []
    assert decide(site, run_id, 0, allow=True) == 204
    wait_until(lambda: workshop.called == [("echo", {"words": "hello"})])
    assert decide(site, run_id, 0, allow=True) == 409
    assert decide(site, run_id, 1, allow=False) == 204
    told = some(stream, 10_000)
    assert told[-1][1:] == ("done", told[-1][2] | {"status": "complete"})
    assert len(workshop.called) == 1
    assert (standing(site), attempts(site)) == ([("done", ""), ("refused", "")], ["settled", "settled"])
    *_, first, second = site.upstream.journal.last.body["messages"]
    assert ("echo: hello" in first["content"], second["content"]) == (True, "The person did not allow this call.")
    assert [details.count('"status": "done"') for details in noted(site)] == [1, 0]


def test_all_are_allowed_at_once(site: Site, workshop: McpServer) -> None:
    stream, run_id = begin(site, workshop, ECHO, ECHO, ECHO)
    assert decide(site, run_id, 0, allow=True, all=True) == 204
    assert some(stream, 10_000)[-1][1] == "done"
    assert (len(workshop.called), standing(site)) == (3, 3 * [("done", "")])


def test_a_reader_who_goes_on_at_the_other_instance_sees_the_calls(site: Site, workshop: McpServer) -> None:
    _, run_id = begin(site, workshop, ECHO, ECHO)
    had = some(site.first.follow(run_id), 4)
    follower = site.second.follow(run_id, after=had[-1][0])
    assert decide(site, run_id, 0, allow=True, all=True) == 204
    told = had + some(follower, 10_000)
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    again = some(site.second.follow(run_id), 10_000)
    assert statuses(again) == statuses(told) == ["waiting", "waiting", "running", "done", "running", "done"]
    conversation = site.second.get(f"/api/conversations/{told[0][2]['conversation_id']}").json()
    assert [call["status"] for call in conversation["messages"][-1]["calls"]] == ["done", "done"]


def test_one_who_comes_without_redis_is_told_them_as_they_are_stored(
    site: Site, workshop: McpServer, redis: RedisServer
) -> None:
    _, run_id = begin(site, workshop, ECHO)
    redis.kill()
    follower = site.second.follow(run_id)
    had = []
    for had_of_it in follower:
        had.append(had_of_it)
        if had_of_it[0] == "tool":
            break
    assert had[-1][1]["status"] == "waiting"
    assert decide(site, run_id, 0, allow=True) == 204
    rest = list(follower)
    assert [event["status"] for name, event in rest if name == "tool"][-1] == "done"
    assert rest[-1][0] == "done"


@pytest.mark.parametrize("waits", [True, False])
def test_stop_at_the_other_instance_ends_what_waits_and_what_is_made(
    site: Site, workshop: McpServer, *, waits: bool
) -> None:
    stream, run_id = begin(site, workshop, HANGS, ECHO, confirms=waits)
    if not waits:
        wait_until(lambda: bool(workshop.called))
    asked = time.monotonic()
    assert site.second.post(f"/api/runs/{run_id}/stop", {}).json() == {"status": "stopping"}
    told = some(stream, 10_000)
    assert time.monotonic() - asked < LOOK_SECONDS + SLACK_SECONDS
    assert told[-1][2]["status"] == "stopped"
    assert standing(site) == 2 * [("stopped", "")]
    assert attempts(site) == ["settled", "released"]
    assert len(noted(site)) == (0 if waits else 1)
    assert decide(site, run_id, 1, allow=True) == 409
    assert len(site.upstream.journal.chats) == 1


def test_calls_of_a_killed_worker_are_ended_by_the_other_instance(site: Site, workshop: McpServer) -> None:
    _, run_id = begin(site, workshop, HANGS, ECHO, confirms=False)
    wait_until(lambda: bool(workshop.called))
    for worker in site.first.workers():
        os.kill(worker, signal.SIGKILL)
    site.lease_runs_out()
    status = partial(site.row, "SELECT status FROM runs WHERE id = :run", run=run_id)
    wait_until(lambda: status().status == "interrupted", REAPED_SECONDS)
    assert standing(site) == 2 * [("failed", "interrupted")]
    assert (attempts(site), len(noted(site))) == (["settled", "released"], 2)
    assert len(site.upstream.journal.chats) == 1
    told = some(site.second.follow(run_id, after=REPLAYED), 10_000)
    assert (statuses(told), told[-1][1]) == (["failed", "failed"], "error")
