"""/api/admin/keys and /providers: where a key stands among others, how it fares, and what an administrator changes."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from flask_app.database import new_id, transaction, utc_now
from flask_app.models import Attempt, User
from flask_app.services.providers import model_service
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import ScriptedUpstream, Status, Whole
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

KEYS, PROVIDERS, FIRST = "/api/admin/keys", "/api/admin/providers", "environment"


@pytest.fixture
def first(upstream: ScriptedUpstream) -> str:
    model_service.available()
    return FIRST


def shown(client: PageClient, key_id: str = FIRST) -> Any:
    listed = client.get(KEYS, headers={"Accept-Language": "en"}).json["keys"]  # type: ignore[index]
    return next(key for key in listed if key["id"] == key_id)


def attempt(key_id: str, state: str, code: str | None = None, *, ago: timedelta = timedelta(minutes=5)) -> Attempt:
    ids = {"request_id": "r", "user_id": "u", "provider_id": "p", "channel": "chat", "model": "m", "address": ""}
    made = {"state": state, "error_code": code, "created_at": utc_now() - ago, "prompt_estimate": 1}
    return Attempt(id=new_id(), key_id=key_id, **ids, **made)


def keep(*rows: Any) -> None:
    with transaction() as session:
        session.add_all(rows)


def test_a_new_key_is_ready_and_has_done_nothing(admin_client: PageClient, first: str) -> None:
    key = shown(admin_client)
    assert (key["state"], key["bench"], key["live"]) == ("ready", None, 0)
    assert (key["priority"], key["weight"], key["max_concurrent"], key["account"]) == (0, 1, None, None)
    assert key["day"] == {"requests": 0, "failures": 0, "duration_ms": None, "first_token_ms": None}
    assert key["provider"]["priority"] == 0


@pytest.mark.unsound_ledger("settled attempts without their entries")
def test_a_keys_last_day_is_added_up(admin_client: PageClient, member: User, first: str) -> None:
    keep(attempt(first, "settled"), attempt(first, "settled", "upstream_cut"), attempt(first, "settled", "interrupted"))
    keep(attempt(first, "released", "upstream_busy"), attempt(first, "released", "upstream_rejected"))
    keep(attempt(first, "dispatched"), attempt(first, "settled", ago=timedelta(hours=25)), attempt("gone", "settled"))
    recent = utc_now() - timedelta(hours=1)
    ledger.write(
        [
            ledger.entry(member.id, recent, key_id=first, duration_ms=1000, first_token_ms=200),
            ledger.entry(member.id, recent, key_id=first, duration_ms=2001, first_token_ms=None),
            ledger.entry(member.id, recent - timedelta(hours=24), key_id=first, duration_ms=90_000),
            ledger.entry(member.id, recent, key_id="gone", duration_ms=90_000),
        ]
    )
    key = shown(admin_client)
    assert key["live"] == 1
    assert key["day"] == {"requests": 7, "failures": 2, "duration_ms": 1500, "first_token_ms": 200}


@pytest.mark.unsound_ledger("settled attempts without their entries")
def test_the_number_of_queries_does_not_grow_with_the_keys(
    admin_client: PageClient, first: str, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    shown(admin_client)
    with query_count() as few:
        shown(admin_client)
    for number in range(10):
        keep(attempt(keep_key(stored_key(first).provider_id, f"key-{number}"), "settled"))
        keep_key(keep_provider(f"P{number}", "https://example.com"), f"other-{number}")
    with query_count() as many:
        assert len(admin_client.get(KEYS).json["keys"]) == 21  # type: ignore[index]
    assert len(many) == len(few) < 12


def test_a_benched_key_says_why_since_when_and_until_when(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(Status(429, "Too many\u0007 requests with sk-abcdefgh", retry_after=60))
    member_client.post("/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"})
    key = shown(admin_client)
    assert key["state"] == "benched"
    assert key["bench"]["code"] == key["last_error"]["code"] == "upstream_busy"
    assert key["bench"]["message"] == "The model's provider is busy. Try again shortly."
    assert key["bench"]["since"] < key["bench"]["until"]
    assert key["last_error"]["detail"] == "Too many requests with …"
    assert key["day"]["requests"] == key["day"]["failures"] == 1


@pytest.mark.parametrize(
    ("fields", "live", "state"),
    [
        ({"benched_until": 60, "probe_until": 60}, 0, "benched"),
        ({"benched_until": 60, "probe_until": 60}, 1, "benched"),
        ({"benched_until": 60, "probe_until": 10}, 0, "benched"),
        ({"benched_until": 60, "probe_until": 10}, 1, "probing"),
        ({"benched_until": -1, "probe_until": 10}, 1, "probing"),
        ({"benched_until": -1}, 0, "due"),
        ({"benched_until": -1, "probe_until": -1}, 0, "due"),
        ({"max_concurrent": 1}, 1, "full"),
        ({"max_concurrent": 2}, 1, "ready"),
        ({"disabled": True, "benched_until": 60}, 0, "disabled"),
    ],
)
def test_the_state_of_a_key(
    admin_client: PageClient, first: str, fields: dict[str, Any], live: int, state: str
) -> None:
    now = utc_now()
    moments = {name: now + timedelta(seconds=fields.pop(name)) for name in list(fields) if name.endswith("_until")}
    change_key(first, bench_code="upstream_failed", benched_since=now, **moments, **fields)
    keep(*(attempt(first, "dispatched") for _ in range(live)))
    assert shown(admin_client)["state"] == state


def test_a_keys_place_cap_and_account_are_changed_and_taken_away(admin_client: PageClient, first: str) -> None:
    placed = {"priority": -3, "weight": 20, "max_concurrent": 7, "account": " ours "}
    changed = admin_client.patch(f"{KEYS}/{first}", json=placed).json
    assert changed is not None
    assert {name: changed[name] for name in placed} == placed | {"account": "ours"}
    kept = admin_client.patch(f"{KEYS}/{first}", json={"label": "renamed"}).json
    assert kept is not None
    assert (kept["label"], kept["account"], kept["max_concurrent"]) == ("renamed", "ours", 7), "what is not named stays"
    cleared = admin_client.patch(f"{KEYS}/{first}", json={"max_concurrent": None, "account": None}).json
    assert cleared is not None
    assert (cleared["max_concurrent"], cleared["account"], cleared["priority"]) == (None, None, -3)


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": 1001},
        {"priority": 1.5},
        {"weight": 0},
        {"weight": 1001},
        {"max_concurrent": 0},
        {"max_concurrent": 100_001},
        {"max_concurrent": True},
        {"account": "x" * 65},
        {"account": "a\nb"},
        {"benched_until": None},
        {"strikes": 0},
    ],
)
def test_a_bad_change_is_refused(admin_client: PageClient, first: str, fields: dict[str, Any]) -> None:
    assert admin_client.patch(f"{KEYS}/{first}", json=fields).status_code == 422
    assert stored_key(first).priority == 0


def test_a_key_that_joins_an_account_joins_its_bench(admin_client: PageClient, first: str) -> None:
    until = utc_now() + timedelta(minutes=5)
    provider_id = stored_key(first).provider_id
    keep_key(provider_id, "b", account="ours", benched_until=until, bench_code="upstream_no_balance", strikes=2)
    keep_key(provider_id, "c", account="theirs", benched_until=until, bench_code="upstream_key_refused")
    admin_client.patch(f"{KEYS}/{first}", json={"account": "theirs"})
    assert stored_key(first).benched_until is None, "a refused key is no matter of the account"
    admin_client.patch(f"{KEYS}/{first}", json={"account": "ours"})
    assert (stored_key(first).benched_until, stored_key(first).strikes) == (until, 2)


def test_a_bench_is_cleared_for_all_who_share_it(admin_client: PageClient, first: str) -> None:
    bench = {"benched_until": utc_now() + timedelta(hours=1), "benched_since": utc_now(), "strikes": 5}
    change_key(first, account="ours", bench_code="upstream_no_balance", last_error_code="upstream_no_balance", **bench)
    provider_id = stored_key(first).provider_id
    keep_key(provider_id, "b", account="ours", bench_code="upstream_no_balance", **bench)
    keep_key(provider_id, "c", account="ours", bench_code="upstream_key_refused", **bench)
    cleared = admin_client.delete(f"{KEYS}/{first}/bench").json
    assert cleared is not None
    assert (cleared["state"], cleared["bench"], cleared["last_error"]) == ("ready", None, None)
    assert [stored_key(name).benched_until is None for name in (first, "b", "c")] == [True, True, False]
    assert stored_key(first).strikes == 0


def test_a_successful_test_ends_the_bench_and_a_failed_one_begins_one(
    admin_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(Status(401, "revoked"), path="/models")
    assert not admin_client.post(f"{KEYS}/{first}/test").json["ok"]  # type: ignore[index]
    assert (shown(admin_client)["state"], shown(admin_client)["last_error"]["detail"]) == ("benched", "revoked")
    assert admin_client.post(f"{KEYS}/{first}/test").json["ok"]  # type: ignore[index]
    assert (shown(admin_client)["state"], shown(admin_client)["bench"]) == ("ready", None)


def test_a_balance_is_read_by_hand(admin_client: PageClient, upstream: ScriptedUpstream, first: str) -> None:
    assert (shown(admin_client)["balance"], shown(admin_client)["provider"]["balance_offered"]) == (None, None)
    upstream.balance = "110.50"
    key = admin_client.post(f"{KEYS}/{first}/balance").json
    assert key is not None
    sums = {"currency": "CNY", "total_micros": 110_500_000, "granted_micros": 0, "topped_up_micros": 110_500_000}
    assert key["balance"] == {"available": True, "sums": [sums], "other_currency": None, "at": key["balance"]["at"]}
    assert shown(admin_client)["balance"] == key["balance"]
    assert key["provider"]["balance_offered"] is True


def test_an_account_that_only_has_money_in_another_currency_is_told(
    admin_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    told = [{"currency": "CNY", "total_balance": "0.00"}, {"currency": "USD", "total_balance": "7.50"}]
    reply = json.dumps({"is_available": True, "balance_infos": told}).encode()
    upstream.script(Whole(reply, "application/json"), path="/user/balance")
    key: Any = admin_client.post(f"{KEYS}/{first}/balance").json
    assert (key["provider"]["currency"], key["balance"]["other_currency"]) == ("CNY", "USD")


@dataclass(frozen=True)
class Slow:
    """A balance whose reply comes after something else has happened."""

    meanwhile: Callable[[], object]

    def play(self, reply: Reply, request: Received) -> None:
        self.meanwhile()
        reply.json(200, {"is_available": True, "balance_infos": []})


def test_a_balance_ends_the_bench_of_a_refusal_before_it_was_asked_for_and_no_other(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(Status(402))
    refused = partial(
        member_client.post, "/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"}
    )
    upstream.script(Slow(refused), path="/user/balance")
    assert admin_client.post(f"{KEYS}/{first}/balance").json["balance"]["available"]  # type: ignore[index]
    assert shown(admin_client)["bench"]["code"] == "upstream_no_balance"
    assert admin_client.post(f"{KEYS}/{first}/balance").json["balance"]["available"]  # type: ignore[index]
    assert (shown(admin_client)["state"], shown(admin_client)["bench"]) == ("ready", None)


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (Status(404), 409, "balance_not_offered"),
        (Status(405), 409, "balance_not_offered"),
        (Status(401, "no"), 502, "upstream_key_refused"),
        (Status(200, "no balance"), 502, "upstream_garbage"),
    ],
)
def test_a_balance_that_cannot_be_read_is_told(
    admin_client: PageClient, upstream: ScriptedUpstream, first: str, script: Status, status: int, code: str
) -> None:
    upstream.script(script, path="/user/balance")
    response = admin_client.post(f"{KEYS}/{first}/balance")
    assert (response.status_code, response.json["error"]["code"]) == (status, code)  # type: ignore[index]
    assert shown(admin_client)["balance"] is None
    assert admin_client.post(f"{KEYS}/{new_id()}/balance").status_code == 404


def test_a_provider_gets_another_place(admin_client: PageClient, first: str) -> None:
    provider_id = stored_key(first).provider_id
    changed = admin_client.patch(f"{PROVIDERS}/{provider_id}", json={"priority": 5}).json
    assert changed is not None
    assert (changed["id"], changed["priority"]) == (provider_id, 5)
    assert shown(admin_client)["provider"]["priority"] == 5
    for bad in ({"priority": 5000}, {"priority": None}, {}, {"priority": 1, "base_url": "https://example.com"}):
        assert admin_client.patch(f"{PROVIDERS}/{provider_id}", json=bad).status_code == 422
    assert admin_client.patch(f"{PROVIDERS}/{new_id()}", json={"priority": 1}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("delete", f"{KEYS}/{FIRST}/bench"),
        ("post", f"{KEYS}/{FIRST}/balance"),
        ("patch", f"{PROVIDERS}/x"),
        ("patch", f"{KEYS}/{FIRST}"),
    ],
)
def test_only_administrators_change_the_pool(
    client: PageClient, member_client: PageClient, first: str, method: str, path: str
) -> None:
    change_key(first, bench_code="upstream_failed", benched_until=utc_now())
    for browser, status in ((client, 401), (member_client, 403)):
        assert getattr(browser, method)(path, json={"priority": 1}).status_code == status
    assert stored_key(first).benched_until
    assert stored_key(first).priority == 0


@pytest.mark.parametrize("key_id", ["x", "01" * 13, "编号"])
def test_the_bench_of_an_absent_key_is_not_found(admin_client: PageClient, key_id: str) -> None:
    assert admin_client.delete(f"{KEYS}/{key_id}/bench").status_code == 404
