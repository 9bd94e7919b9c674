"""Questions that are looked up by the real server: on two instances, stopped from the other, and by a killed worker."""

import os
import signal
import time
from functools import partial
from typing import Any

from sqlalchemy import text

from flask_app.services.runs.stop_service import LOOK_SECONDS
from tests.support.brokers import wait_until
from tests.support.instances import REAPED_SECONDS, Site, some
from tests.support.scripted_upstream import Gate, Pages
from tests.support.served import Stream
from tests.support.upstream_journal import SEARCH
from tests.support.web_searching import QUESTION

SLACK_SECONDS = 4  # for a machine that has other things to do as well
BOOKED = "SELECT channel, state, COALESCE(error_code, '') AS code FROM proxy_logs ORDER BY channel DESC"


def switch_on(site: Site) -> None:
    assert site.first.get("/api/models").status == 200  # which keeps the key of the environment
    choose = "INSERT INTO settings (name, value) SELECT 'web_search', id FROM providers WHERE base_url = :url"
    with site.database.begin() as connection:
        connection.execute(text(choose), {"url": site.upstream.base_url})


def ask(site: Site) -> Stream:
    return Stream(site.first.ask("POST", "/api/chat", {"message": QUESTION, "search": True}, whole=False))


def begin_held(site: Site) -> tuple[Stream, str]:
    """A question that the first instance is looking up."""
    switch_on(site)
    site.upstream.script(Pages(gate=Gate(0)), path=SEARCH)
    stream = ask(site)
    _, start = next(iter(stream))
    wait_until(lambda: bool(site.upstream.journal.searches))
    return stream, start["run_id"]


def booked(site: Site) -> list[tuple[Any, ...]]:
    with site.database.connect() as connection:
        return [tuple(row) for row in connection.execute(text(BOOKED))]


def test_whoever_follows_on_the_other_instance_hears_of_the_search(site: Site) -> None:
    _, run_id = begin_held(site)
    follower = site.second.follow(run_id)
    site.upstream.forget_scripts()
    told = some(follower, 10_000)
    assert [name for _, name, _ in told][:4] == ["start", "searching", "sources", "token"]
    assert (told[2][2]["status"], told[-1][2]["status"]) == ("found", "complete")
    assert booked(site) == [("search", "settled", ""), ("chat", "settled", "")]


def test_stop_on_the_other_instance_ends_the_search(site: Site) -> None:
    _, run_id = begin_held(site)
    asked = time.monotonic()
    assert site.second.post(f"/api/runs/{run_id}/stop", {}).json() == {"status": "stopping"}
    site.upstream.journal.wait_until_idle()
    assert time.monotonic() - asked < LOOK_SECONDS + SLACK_SECONDS
    assert site.upstream.journal.searches[0].closed_early
    wait_until(lambda: booked(site) == [("search", "settled", ""), ("chat", "released", "")])
    assert site.row("SELECT source FROM token_usage").source == "estimated"


def test_what_a_killed_worker_searched_for_the_other_instance_books(site: Site) -> None:
    _, run_id = begin_held(site)
    for worker in site.first.workers():
        os.kill(worker, signal.SIGKILL)
    site.lease_runs_out()
    status = partial(site.row, "SELECT status FROM runs WHERE id = :run", run=run_id)
    wait_until(lambda: status().status == "interrupted", REAPED_SECONDS)
    lost = [("search", "settled", "interrupted"), ("chat", "released", "interrupted")]
    assert booked(site) == lost
    assert site.row("SELECT COUNT(*) AS n FROM token_usage").n == 1
    assert tuple(site.row("SELECT status, error_code FROM web_searches")) == ("failed", "interrupted")
    assert site.upstream.journal.chats == []
