"""An attempt that a provider has taken up, and then broken off: booked, unless another takes its place."""

from typing import Any

import pytest

from flask_app.models import User
from flask_app.services.completion import cooldown_service
from flask_app.services.providers import key_service
from flask_app.services.runs import run_service
from tests.routes.failover.asking import ROLE, ask, attempts, code_of, entries
from tests.support import scripted_upstream as twin
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.keys import change_key
from tests.support.limits import LEAST, limit
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_paused import Paused

CUT = twin.Raw(parts=(ROLE,), resets=True)


def booked() -> list[tuple[str | None, str, bool, int]]:
    return [(each.key_id, each.source, each.prompt_tokens > 0, each.completion_tokens) for each in entries()]


def test_where_every_other_key_is_in_use_its_prompt_is_booked(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    change_key(second, max_concurrent=1, priority=-2)
    long = Paused()
    upstream.script(long)
    with member_client.post("/api/chat", json={"message": "long"}) as running:
        upstream.journal.wait_for(1)
        upstream.script(CUT)
        assert ask(member_client).json["status"] == "failed"
        assert booked() == [(first, "estimated", True, 0)]
        long.go_on()
        assert list(running.iter_encoded())
    assert sorted(attempts()) == [(first, "settled", 200), (second, "settled", 200)]


def test_what_it_held_is_free_for_the_one_that_takes_its_place(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    limit(LEAST)
    upstream.script(CUT)
    assert ask(member_client).json["text"] == Answer().text
    assert [(key, state) for key, state, _ in attempts()] == [(first, "released"), (second, "settled")]
    assert [each.key_id for each in entries()] == [second]


def test_one_that_is_stopped_before_another_begins_is_booked(
    member: User,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    first: str,
    second: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for key in (first, second):
        change_key(key, account="ours")
    monkeypatch.setattr(key_service, "draw", lambda: 0.9)
    noted = cooldown_service.note_failure

    def note_and_stop(*args: Any, **how: Any) -> None:
        noted(*args, **how)
        (live,) = run_service.live_runs()
        live.stop.stop("stopped")

    monkeypatch.setattr(cooldown_service, "note_failure", note_and_stop)
    upstream.script(CUT)
    assert ask(member_client).json["status"] == "stopped"
    assert booked() == [(first, "estimated", True, 0)]
    assert len(upstream.journal.chats) == 1
    wait_until(lambda: not run_service.live_runs())


def test_what_was_refused_outright_costs_nothing_wherever_it_ends(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    upstream.script(twin.Status(500), always=True)
    assert code_of(ask(member_client)) == "upstream_failed"
    assert {state for _, state, _ in attempts()} == {"released"}
    assert entries() == []
