"""What is read on schedule: balances and lists of models, each when it is due and by one process."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain.balance import Balance
from flask_app.models import ApiKey, Provider
from flask_app.services.audit.audit_service import Actor
from flask_app.services.operations import upkeep_service
from flask_app.services.providers import key_admin_service, model_lists, model_service
from flask_app.services.providers.key_admin_service import NewKey
from flask_app.services.reconciliation import balance_service
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import ScriptedUpstream, Status, Whole
from tests.support.together import at_once

FIRST, BALANCE, MODELS = "environment", "/user/balance", "/models"


@pytest.fixture
def first(upstream: ScriptedUpstream) -> str:
    """The environment's key; its provider's list has just been read."""
    model_service.available()
    upstream.journal.clear()
    return FIRST


def paths(upstream: ScriptedUpstream) -> list[str]:
    return [request.path for request in upstream.journal]


def balance_of(key_id: str) -> Balance | None:
    stored = stored_key(key_id).balance
    return Balance.restored(stored) if stored else None


def provider() -> Provider:
    with reading() as session:
        return session.get_one(Provider, stored_key(FIRST).provider_id)


def everything_is_due() -> None:
    past = utc_now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(Provider).values(models_due_at=past))
        session.execute(update(ApiKey).values(balance_due_at=past))


def test_a_balance_is_read_once_for_its_time(upstream: ScriptedUpstream, first: str) -> None:
    upstream.balance = "12.5"
    upkeep_service.tick()
    upkeep_service.tick()
    assert paths(upstream) == [BALANCE]
    kept = balance_of(first)
    assert kept
    assert (kept.available, kept.sums[0].total) == (True, 12_500_000)
    due = stored_key(first).balance_due_at
    assert due
    assert timedelta(minutes=29) < due - utc_now() <= balance_service.EVERY


def test_keys_of_one_account_are_asked_once_and_all_told(upstream: ScriptedUpstream, first: str) -> None:
    change_key(first, account="ours")
    keep_key(stored_key(first).provider_id, "second", account="ours")
    keep_key(stored_key(first).provider_id, "alone")
    keep_key(stored_key(first).provider_id, "off", disabled=True)
    upkeep_service.tick()
    assert paths(upstream) == [BALANCE, BALANCE]
    assert balance_of(first) == balance_of("second") == balance_of("alone") != balance_of("off")


def test_processes_that_look_at_once_ask_once(upstream: ScriptedUpstream, first: str) -> None:
    everything_is_due()
    at_once(4, lambda _: upkeep_service.tick())
    assert sorted(paths(upstream)) == [MODELS, BALANCE]


@pytest.mark.parametrize("status", [404, 405])
def test_a_provider_that_does_not_tell_is_asked_again_a_day_later(
    upstream: ScriptedUpstream, first: str, status: int
) -> None:
    upstream.script(Status(status), path=BALANCE)
    upkeep_service.tick()
    assert provider().balance_offered is False
    due = stored_key(first).balance_due_at
    assert due
    assert timedelta(hours=23) < due - utc_now() <= balance_service.EVERY_UNTOLD
    assert stored_key(first).benched_until is None
    everything_is_due()
    upkeep_service.tick()
    assert (provider().balance_offered, balance_of(first) is None) == (True, False)


def test_one_that_has_told_before_is_taken_for_one_who_tells(upstream: ScriptedUpstream, first: str) -> None:
    upkeep_service.tick()
    everything_is_due()
    upstream.script(Status(404), path=BALANCE)
    upkeep_service.tick()
    assert (provider().balance_offered, balance_of(first) is None) == (True, False)


@pytest.mark.parametrize("script", [Status(401), Status(500), Status(429, retry_after=60), Whole()])
def test_a_balance_that_cannot_be_read_is_no_matter_of_the_key(
    upstream: ScriptedUpstream, first: str, script: Status | Whole
) -> None:
    upstream.script(script, path=BALANCE)
    upkeep_service.tick()
    assert (stored_key(first).benched_until, balance_of(first)) == (None, None)
    assert provider().balance_offered is None


def test_a_balance_that_is_back_ends_the_bench_of_the_account(upstream: ScriptedUpstream, first: str) -> None:
    until = utc_now() + timedelta(hours=1)
    change_key(first, account="ours", benched_until=until, bench_code="upstream_no_balance", strikes=3)
    provider_id = stored_key(first).provider_id
    keep_key(provider_id, "second", account="ours", benched_until=until, bench_code="upstream_no_balance")
    keep_key(provider_id, "third", account="ours", benched_until=until, bench_code="upstream_key_refused")
    upstream.balance = "0.00"
    upkeep_service.tick()
    assert stored_key(first).benched_until == until, "nothing is left yet"
    everything_is_due()
    upstream.balance = "5.00"
    upkeep_service.tick()
    assert [stored_key(name).benched_until for name in (first, "second", "third")] == [None, None, until]
    assert stored_key(first).strikes == 0


def test_a_list_of_models_is_read_anew_when_it_is_due(upstream: ScriptedUpstream, first: str) -> None:
    listed, upstream.models = upstream.models, ["deepseek-flash", "deepseek-next"]
    try:
        upkeep_service.tick()
        assert MODELS not in paths(upstream)
        everything_is_due()
        upkeep_service.tick()
    finally:
        upstream.models = listed
    assert [model.name for model in model_service.available()] == ["deepseek-flash", "deepseek-next"]
    due = provider().models_due_at
    assert due
    assert timedelta(hours=5) < due - utc_now() <= model_lists.SYNC_EVERY


def test_a_list_that_cannot_be_read_leaves_the_models_and_is_tried_again_soon(
    upstream: ScriptedUpstream, first: str
) -> None:
    everything_is_due()
    upstream.script(Status(500), path=MODELS)
    upkeep_service.tick()
    assert len(model_service.available()) == 2
    due = provider().models_due_at
    assert due
    assert due - utc_now() <= model_lists.RETRY_SYNC


def test_a_provider_that_was_out_of_reach_when_its_key_came_is_asked_again(
    upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(Status(503), Status(503), path=MODELS)
    elsewhere = NewKey(label="new", secret="sk-new-0000", base_url=upstream.base_url, provider_name="Elsewhere")
    added = key_admin_service.add(Actor(None), elsewhere)
    assert added.key.last_error_code == "upstream_overloaded"

    def offered() -> set[str]:
        return {model.provider for model in model_service.available()}

    upkeep_service.tick()
    assert offered() == {"DeepSeek"}
    upkeep_service.tick()
    assert offered() == {"DeepSeek"}, "it was asked a moment ago"
    everything_is_due()
    upkeep_service.tick()
    assert offered() == {"DeepSeek", "Elsewhere"}


def test_an_empty_list_retires_nobody(upstream: ScriptedUpstream, first: str) -> None:
    listed, upstream.models = upstream.models, []
    everything_is_due()
    try:
        upkeep_service.tick()
    finally:
        upstream.models = listed
    assert len(model_service.available()) == 2


def test_one_provider_that_fails_does_not_keep_the_others_waiting(upstream: ScriptedUpstream, first: str) -> None:
    dead = keep_provider("Dead", "http://127.0.0.1:1", models=["ghost"], priority=-1)
    keep_key(dead, "a", secret=b"cannot be read")
    keep_key(keep_provider("Gone", "http://127.0.0.1:1", models=["ghost"]), "b")
    everything_is_due()
    upkeep_service.tick()
    assert sorted(paths(upstream)) == [MODELS, BALANCE]
    assert balance_of(first)


def test_nothing_is_asked_where_there_is_nothing(app: Flask, upstream: ScriptedUpstream) -> None:
    upkeep_service.tick()
    assert paths(upstream) == []
