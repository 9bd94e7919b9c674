"""Going on with an answer that the server broke off sends nothing new; with another one it is a message."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from flask_app import create_app
from flask_app.config import Config
from flask_app.database import reading, transaction, utc_now
from flask_app.models import Message, Run, User
from flask_app.services.runs import reaper_service, run_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient, signed_in
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.together import at_once

JSON = {"Accept": "application/json"}
ENDLESS = Answer("word " * 2000, tokens_per_second=50)
CUT = Answer("one two", finish_reason="insufficient_system_resource")


def go_on(client: PageClient, run_id: str, **fields: Any) -> Any:
    return client.post(f"/api/runs/{run_id}/continue", json=fields, headers=JSON).json


def ask(client: PageClient) -> Any:
    return client.post("/api/chat", json={"message": "count"}, headers=JSON).json


def messages_left(client: PageClient) -> int:
    """How many more may be sent."""
    for sent in range(4):
        if (error := ask(client).get("error")) is not None:
            assert error["code"] == "chat_rate_limited"
            return sent
    raise AssertionError("without end")


def begun(client: PageClient, upstream: ScriptedUpstream) -> str:
    """A run that has words, and does not end by itself."""
    upstream.script(ENDLESS)
    client.post("/api/chat", json={"message": "count"}, buffered=False).close()
    return live_run()


def live_run() -> str:
    wait_until(lambda: any(live.completion.outcome.text for live in run_service.live_runs()))
    (live,) = run_service.live_runs()
    return live.begun.run_id


def stopped(client: PageClient, run_id: str) -> None:
    client.post(f"/api/runs/{run_id}/stop", json={})
    wait_until(lambda: not run_service.live_runs())
    assert how_it_stands(run_id) == ("stopped", None)


def drained(run_id: str) -> None:
    run_service.shutdown()
    assert how_it_stands(run_id) == ("interrupted", None)


def reaped(run_id: str) -> None:
    """Its worker was taken for dead."""
    lapsed = {"worker": "killed", "lease_expires_at": utc_now() - timedelta(seconds=1)}
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(lapsed))
    reaper_service.reap_all()
    run_service.shutdown()
    assert how_it_stands(run_id) == ("interrupted", "interrupted")


def how_it_stands(run_id: str) -> tuple[str, str | None]:
    with reading() as session:
        run = session.get_one(Run, run_id)
        message = session.get_one(Message, run.message_id)
        return message.status, message.error_code


@pytest.fixture
def tabs(app: Flask, base_config: Config, member: User) -> list[PageClient]:
    """Two of one person, who may send three messages an hour."""
    strict = create_app(dataclasses.replace(base_config, chat_rate_limit="3 per hour"))
    return [signed_in(strict, member) for _ in range(2)]


def follow_on(tab: PageClient, run_id: str) -> int:
    """As a page does by itself: every tab asks with the same key."""
    reply = tab.post(f"/api/runs/{run_id}/continue", json={"idempotency_key": f"after-{run_id}"}, buffered=False)
    reply.close()
    return reply.status_code


@pytest.mark.parametrize("break_off", [drained, reaped])
def test_what_the_server_broke_off_is_gone_on_with_in_every_tab_and_is_no_message(
    tabs: list[PageClient], upstream: ScriptedUpstream, break_off: Callable[[str], None]
) -> None:
    run_id = begun(tabs[0], upstream)
    for _ in range(3):
        break_off(run_id)
        upstream.script(ENDLESS)
        assert [follow_on(tab, run_id) for tab in tabs] == [200, 200]
        run_id = live_run()
    run_service.shutdown()
    assert len(upstream.journal.chats) == 4, "the tabs follow one run"
    assert messages_left(tabs[0]) == 2


def test_both_tabs_at_once_send_no_message(tabs: list[PageClient], upstream: ScriptedUpstream) -> None:
    run_id = begun(tabs[0], upstream)
    drained(run_id)
    assert at_once(2, lambda number: follow_on(tabs[number], run_id)) == [200, 200]
    assert messages_left(tabs[0]) == 2


def test_the_same_key_again_is_no_message(tabs: list[PageClient], upstream: ScriptedUpstream) -> None:
    run_id = begun(tabs[0], upstream)
    stopped(tabs[0], run_id)
    assert [follow_on(tabs[0], run_id) for _ in range(3)] == [200] * 3
    assert messages_left(tabs[0]) == 1, "the first time it was a message"


def test_what_its_person_stopped_is_gone_on_with_as_a_message_whatever_broke_off_before(
    tabs: list[PageClient], upstream: ScriptedUpstream
) -> None:
    drained(run_id := begun(tabs[0], upstream))
    upstream.script(ENDLESS)
    assert follow_on(tabs[0], run_id) == 200
    stopped(tabs[0], live_run())
    assert go_on(tabs[0], run_id)["status"] == "complete"
    assert messages_left(tabs[0]) == 1


def test_what_the_provider_broke_off_is_gone_on_with_as_a_message(
    tabs: list[PageClient], upstream: ScriptedUpstream
) -> None:
    upstream.script(CUT, CUT)
    run_id = ask(tabs[0])["run_id"]
    assert how_it_stands(run_id) == ("interrupted", "upstream_overloaded")
    assert go_on(tabs[0], run_id)["error"]["code"] == "upstream_overloaded"
    assert messages_left(tabs[0]) == 1


def test_going_on_with_what_a_restart_broke_off_counts_as_any_other_request(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    site = admin_client.put("/api/admin/rates/site", json={"requests": {"amount": 1, "seconds": 60}})
    assert site.status_code == 200
    drained(run_id := begun(member_client, upstream))
    upstream.script(ENDLESS)
    assert follow_on(member_client, run_id) == 200
    drained(again := live_run())
    assert go_on(member_client, again)["error"]["code"] == "request_rate_limited"
