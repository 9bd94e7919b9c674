"""How often a token may ask, from where, and what becomes of an answer whose program leaves."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config, create_app
from flask_app.config import Config
from flask_app.database import reading
from flask_app.models import AccessToken, Attempt, AuditEntry, User
from flask_app.services.runs import run_service
from flask_app.services.tokens.token_access_service import Access
from flask_app.services.tokens.token_service import Made
from tests.support.brokers import wait_until
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.gateway import HELLO, Program, made
from tests.support.requests import logged, only
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

SLOW = Answer("word " * 2000, tokens_per_second=50)
HERE, NOT_HERE = "127.0.0.0/8", "203.0.113.0/24"
OLDER: dict[str, Any] = {"requests_per_minute": None, "networks": []}  # what every client sends
NOTHING = OLDER | {"parallel_requests": None, "on_disconnect": "stop"}


@pytest.fixture
def token(member: User, upstream: ScriptedUpstream) -> Made:
    return made(member)


def path(token: Made) -> str:
    return f"/api/tokens/{token.token.id}/access"


def bounded(app: Flask, user: User, name: str = "editor", **access: Any) -> Program:
    return Program(app, made(user, name, access=Access(**access)).secret)


def rate(text: str) -> None:
    config.install(dataclasses.replace(config.current(), chat_rate_limit=text))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("upstream")
def test_a_tokens_own_rate_holds_below_its_persons(app: Flask, member: User, stream: bool) -> None:
    slow, free = bounded(app, member, requests_per_minute=2), bounded(app, member, "free")
    for left in ("1", "0"):
        reply = slow.complete(stream=stream)
        assert (reply.status_code, reply.headers["x-ratelimit-limit-requests"]) == (200, "2")
        assert reply.headers["x-ratelimit-remaining-requests"] == left
    refused = slow.complete(stream=stream)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert "每分钟最多请求 2 次" in refused.get_json()["error"]["message"]
    assert free.complete(stream=stream).status_code == 200, "another token of the same person goes on"
    assert slow.get("/v1/models").status_code == 200, "which models there are is no answer"
    codes = [(row.status, row.error_code, row.attempts) for row in logged()]
    assert sorted(codes, reverse=True) == [(429, "rate_limit_exceeded", 0), *[(200, None, 1)] * 3, (200, None, 0)]
    with reading() as session:
        assert len(session.scalars(select(Attempt)).all()) == 3, "a refused one asks no provider"


@pytest.mark.usefixtures("upstream")
def test_anthropics_clients_hear_of_it_in_their_own_shape(app: Flask, member: User) -> None:
    slow = bounded(app, member, requests_per_minute=1)
    assert slow.message().headers["anthropic-ratelimit-requests-remaining"] == "0"
    refused = slow.message()
    assert (refused.status_code, refused.get_json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.usefixtures("upstream")
def test_the_tighter_of_both_rates_is_told(app: Flask, member: User) -> None:
    rate("3 per hour")
    program = bounded(app, member, requests_per_minute=2)
    assert program.complete().headers["x-ratelimit-limit-requests"] == "2"
    other = bounded(app, member, "other")
    assert other.complete().headers["x-ratelimit-remaining-requests"] == "1"
    told = program.complete().headers
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("3", "0"), "its person's"
    assert told["x-ratelimit-reset-requests"] == "1h0m0s"
    refused = program.complete()
    assert int(refused.headers["retry-after"]) > 60, "both are full: the token's minute alone would not help"


@pytest.mark.usefixtures("upstream")
def test_what_one_rate_refuses_counts_against_neither(app: Flask, member: User) -> None:
    rate("3 per minute")
    slow, free = bounded(app, member, requests_per_minute=1), bounded(app, member, "free")
    assert [slow.complete().status_code for _ in range(4)] == [200, 429, 429, 429]
    assert [free.complete().status_code for _ in range(3)] == [200, 200, 429], "its person has two left"
    late = bounded(app, member, "late", requests_per_minute=5)
    assert [late.complete().status_code for _ in range(3)] == [429, 429, 429]
    rate("100 per minute")
    assert late.complete().headers["x-ratelimit-remaining-requests"] == "4"


@pytest.mark.usefixtures("upstream")
def test_a_rate_holds_where_its_person_has_none(app: Flask, member: User, admin_client: PageClient) -> None:
    assert admin_client.put("/api/admin/rates/site", json={"messages": {"amount": None}}).status_code == 200
    slow = bounded(app, member, requests_per_minute=1)
    assert [slow.complete().status_code for _ in range(2)] == [200, 429]


@pytest.mark.security("scope-by-every-way")
def test_elsewhere_a_token_opens_nothing(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    program = bounded(app, member, networks=[NOT_HERE, "2001:db8::/32"])
    asked: list[Any] = [program.complete(), program.complete(stream=True), program.respond(), program.go_on()]
    asked += [program.embed(), program.get("/v1/models"), program.get("/v1/nothing"), program.complete(temperature=9)]
    for reply in asked:
        error = reply.get_json()["error"]
        assert (reply.status_code, error["code"], error["type"]) == (403, "address_not_allowed", "permission_error")
        assert "127.0.0.1" in error["message"]
    for reply in (program.message(), program.post("/v1/messages/count_tokens", {"model": "x", "messages": HELLO})):
        told = reply.get_json()
        assert (reply.status_code, told["type"], told["error"]["type"]) == (403, "error", "permission_error")
    rows = logged()
    assert len(rows) == 10
    assert {(row.status, row.error_code, row.address, row.attempts) for row in rows} == {
        (403, "address_not_allowed", "127.0.0.1", 0)
    }
    assert len(upstream.journal) == 0
    with reading() as session:
        assert session.scalars(select(Attempt)).all() == []
        assert session.scalars(select(AccessToken.last_used_at)).all() == [None], "it was not used"


@pytest.mark.usefixtures("upstream")
def test_where_it_may_be_used_from_it_is(app: Flask, member: User) -> None:
    program = bounded(app, member, networks=[NOT_HERE, HERE])
    assert program.complete().status_code == 200
    assert only().status == 200
    with reading() as session:
        assert session.scalars(select(AccessToken.last_used_at)).one() is not None


@pytest.mark.parametrize(("proxies", "status"), [(1, 200), (0, 403)])
@pytest.mark.usefixtures("upstream")
def test_the_address_behind_a_proxy_counts_where_the_proxy_is_trusted(
    app: Flask, base_config: Config, member: User, proxies: int, status: int
) -> None:
    secret = made(member, access=Access(networks=["203.0.113.9"])).secret
    behind = Program(create_app(dataclasses.replace(base_config, trusted_proxies=proxies)), secret)
    assert behind.get("/v1/models", **{"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}).status_code == status
    assert behind.get("/v1/models", **{"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}).status_code == 403
    mapped = behind.get("/v1/models", **{"X-Forwarded-For": "::ffff:203.0.113.9"})
    assert mapped.status_code == status


@pytest.mark.usefixtures("upstream")
def test_who_tries_a_found_token_elsewhere_does_not_use_up_its_persons_rate(
    app: Flask, member: User, member_client: PageClient, admin_client: PageClient
) -> None:
    """It counts as visits of that address do, and those end."""
    program = bounded(app, member, networks=[NOT_HERE])
    few = {"visits": {"amount": 3}, "requests": {"amount": 5}, "messages": {"amount": 5}}
    assert admin_client.put("/api/admin/rates/site", json=few).status_code == 200
    assert [program.complete().status_code for _ in range(3)] == [403, 403, 403]
    assert [program.get("/v1/models").status_code for _ in range(2)] == [429, 429]
    assert member_client.get("/api/tokens").status_code == 200
    assert member_client.post("/api/chat", json={"message": "hello"}).status_code == 200


@pytest.mark.security("runs-capped")
def test_so_many_answers_at_once_and_no_more(
    app: Flask, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=5))
    kept, free = bounded(app, member, parallel_requests=1), bounded(app, member, "free")
    upstream.script(SLOW)
    open_one = kept.complete(stream=True, buffered=False)
    rate("4 per minute")
    refused = [kept.complete() for _ in range(5)][-1]
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (429, "too_many_runs_of_token")
    assert "此令牌已有 1 个回答正在生成" in refused.get_json()["error"]["message"]
    assert int(refused.headers["retry-after"]) > 0
    assert "x-should-retry" not in refused.headers
    assert free.complete().status_code == 200, "another token of the same person goes on"
    asked = member_client.post("/api/chat", json={"message": "hello"})
    assert asked.status_code == 200, "what is refused counts against no rate"
    with reading() as session:
        assert len(session.scalars(select(Attempt)).all()) == 3, "a refused one asks no provider, and books nothing"
    open_one.close()
    wait_until(lambda: not run_service.live_runs())
    assert kept.complete().status_code == 200
    told = {(row.error_code, row.attempts) for row in logged() if row.status == 429}
    assert told == {("too_many_runs_of_token", 0)}


def test_of_requests_at_the_same_moment_no_more_are_let_in(
    app: Flask, member: User, upstream: ScriptedUpstream
) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=20))
    kept = bounded(app, member, parallel_requests=2)
    upstream.script(*[Answer(gate=Gate(1))] * 8)
    with ThreadPoolExecutor(8) as threads:
        begun = [threads.submit(kept.complete, stream=True, buffered=False) for _ in range(8)]
        replies = [each.result() for each in begun]
    assert sorted(reply.status_code for reply in replies) == [200] * 2 + [429] * 6
    upstream.forget_scripts()
    for reply in replies:
        reply.close()


def test_what_clients_do_not_know_stays_as_it_was(member_client: PageClient, token: Made) -> None:
    newer = {"parallel_requests": 4, "on_disconnect": "continue"}
    assert member_client.put(path(token), json=NOTHING | newer).status_code == 200
    assert member_client.put(path(token), json=OLDER).get_json() == NOTHING | newer
    for name, value in newer.items():
        after = member_client.put(path(token), json=OLDER | {name: NOTHING[name]}).get_json()
        assert after == NOTHING | newer | {name: NOTHING[name]}, "of what is not sent nothing changes"
        assert member_client.put(path(token), json=OLDER | {name: value}).get_json() == NOTHING | newer
    assert member_client.put(path(token), json=NOTHING).get_json() == NOTHING


def test_it_costs_no_query(app: Flask, member: User, token: Made, query_count: Any) -> None:
    plain, kept = Program(app, token.secret), bounded(app, member, networks=[HERE, NOT_HERE], requests_per_minute=100)
    for program in (plain, kept):
        program.complete()
    with query_count() as without:
        plain.complete()
    with query_count() as with_both:
        kept.complete()
    assert len(with_both) == len(without)


def test_a_person_sets_them_and_takes_them_away(member_client: PageClient, token: Made) -> None:
    bounds: dict[str, Any] = {"requests_per_minute": 30, "parallel_requests": 2, "on_disconnect": "continue"}
    typed = bounds | {"networks": [" 2001:DB8::/32 ", "198.51.100.9/24", "203.0.113.7", "203.0.113.7/32"]}
    wanted = bounds | {"networks": ["198.51.100.0/24", "2001:db8::/32", "203.0.113.7"]}
    response = member_client.put(path(token), json=typed)
    assert (response.status_code, response.get_json()) == (200, wanted)
    (listed,) = member_client.get("/api/tokens").get_json()["tokens"]
    assert {name: listed[name] for name in wanted} == wanted
    assert member_client.put(path(token), json=wanted).status_code == 200
    assert member_client.put(path(token), json=NOTHING).get_json() == NOTHING
    with reading() as session:
        acts = session.scalars(select(AuditEntry).where(AuditEntry.action == "token.access").order_by(AuditEntry.id))
        told = [json.loads(act.details) for act in acts]
    assert told == [
        {"name": "editor", "before": {}, "after": wanted},
        {"name": "editor", "before": wanted, "after": {}},
    ], "what changes nothing is no act"


def test_it_holds_from_the_next_request_on(app: Flask, member_client: PageClient, token: Made) -> None:
    program = Program(app, token.secret)
    assert program.complete().status_code == 200
    for access, status in (({"networks": [NOT_HERE]}, 403), ({"requests_per_minute": 1}, 200), ({}, 200)):
        assert member_client.put(path(token), json=NOTHING | access).status_code == 200
        assert program.complete().status_code == status


def test_a_token_may_be_made_with_them_and_administrators_see_them(
    member_client: PageClient, admin_client: PageClient, token: Made
) -> None:
    bounds = {"requests_per_minute": 7, "parallel_requests": 3, "networks": [NOT_HERE], "on_disconnect": "continue"}
    told = member_client.post("/api/tokens", json={"name": "kept"} | bounds).get_json()["token"]
    assert {name: told[name] for name in bounds} == bounds
    shown = admin_client.get("/api/admin/tokens").get_json()["tokens"]
    assert [{name: each[name] for name in bounds} for each in shown] == [bounds, NOTHING]


@pytest.mark.parametrize(
    ("access", "code"),
    [
        *(({"requests_per_minute": number}, "invalid_field") for number in (0, -1, 10_001, 1.5, "7", True)),
        *(({"parallel_requests": number}, "invalid_field") for number in (0, -1, 1001, 1.5, "7", True)),
        *(({"networks": [text]}, "bad_network") for text in ("", "*", "example.org", "203.0.113.7/33", "fe80::1%eth0")),
        ({"networks": [f"203.0.113.{number}" for number in range(21)]}, "too_many_networks"),
        ({"networks": ["203.0.113.7"] * 81}, "invalid_field"),
        ({"networks": None}, "invalid_field"),
        ({"networks": "203.0.113.7"}, "invalid_field"),
        *(({"on_disconnect": word}, "invalid_field") for word in ("", "limit", "Continue", None, True)),
    ],
)
def test_what_is_none_is_refused(member_client: PageClient, token: Made, access: dict[str, Any], code: str) -> None:
    response = member_client.put(path(token), json=NOTHING | access)
    assert (response.status_code, error_code(response)) == (422, code)
    (listed,) = member_client.get("/api/tokens").get_json()["tokens"]
    assert {name: listed[name] for name in NOTHING} == NOTHING
    if access != {"networks": None}:
        assert member_client.post("/api/tokens", json={"name": "x"} | access).status_code == 422


def test_only_its_person_sets_them(app: Flask, admin_client: PageClient, token: Made) -> None:
    for wrong in (path(token), "/api/tokens/nothing/access"):
        assert admin_client.put(wrong, json=NOTHING).status_code == 404
    assert new_client(app).put(path(token), json=NOTHING).status_code in {401, 403}
    assert Program(app, token.secret).get(path(token)).status_code in {401, 404, 405}
