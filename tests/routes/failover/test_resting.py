"""How long keys and accounts that were refused are left alone, and how they come back."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from flask_app.database import utc_now
from tests.routes.failover.asking import REFUSALS, ask, attempts, code_of
from tests.support import scripted_upstream as twin
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, stored_key
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.together import at_once


def test_the_same_account_is_asked_again_after_a_pause(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    for name in (first, second):
        change_key(name, account="ours")
    upstream.script(twin.Status(500))
    assert ask(member_client).json["status"] == "complete"
    before, after = upstream.journal.chats
    assert after.received_at - before.received_at >= 0.25


def test_a_busy_account_is_left_alone_with_all_its_keys(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    for name in (first, second):
        change_key(name, account="ours")
    keep_key(stored_key(first).provider_id, "third", priority=9)
    upstream.script(twin.Status(429, retry_after=30), key="test-key")
    ask(member_client)
    assert [key for key, _, _ in attempts()] == [first, "third"]
    assert stored_key(second).bench_code == "upstream_busy"


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_nobody_asks_before_retry_after_is_over(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, status: int, form: str
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    upstream.script(twin.Status(status, retry_after=600 if form == "seconds" else date))
    ask(member_client)
    upstream.journal.clear()
    for _ in range(3):
        refused = ask(member_client)
        assert (refused.status_code, code_of(refused)) == (503, "upstream_resting")
        seconds = int(refused.headers["Retry-After"])
        assert 570 <= seconds <= 601
        assert str(seconds) in refused.json["error"]["message"]
    assert len(upstream.journal) == 0
    assert len(attempts()) == 1, "what is not sent is not written"
    change_key(first, benched_until=utc_now(), probe_until=None)
    assert ask(member_client).json["status"] == "complete"
    assert stored_key(first).benched_until is None


@pytest.mark.parametrize("said", [31_536_000, "Wed, 25 Nov 9999 03:00:30 GMT"])
def test_a_retry_after_of_a_year_is_an_hour(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, said: int | str
) -> None:
    upstream.script(twin.Status(429, retry_after=said))
    ask(member_client)
    assert 3570 <= int(ask(member_client).headers["Retry-After"]) <= 3600


@pytest.mark.parametrize(
    "said", ["Wed, 25 Nov 99999999999 03:00:30 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "-1", "soon"]
)
def test_a_retry_after_that_says_nothing_leaves_it_to_our_own_rule(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, said: str
) -> None:
    upstream.script(twin.Status(429, retry_after=said))
    assert code_of(ask(member_client)) == "upstream_busy"
    key = stored_key(first)
    assert key.benched_until
    assert key.benched_since
    rest = (key.benched_until - key.benched_since).total_seconds()
    assert 4.9 <= rest <= 6.3, "five seconds, and up to a quarter more"


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_an_answer_closes_the_circuit_again(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, status: int, code: str
) -> None:
    refusal = twin.Status(status, "why", retry_after=30)
    upstream.script(refusal, refusal, Answer(text=""))
    for strikes in (1, 2):
        ask(member_client)
        key = stored_key(first)
        assert (key.strikes, key.bench_code, key.last_error_code, key.last_error_detail) == (strikes, code, code, "why")
        change_key(first, benched_until=utc_now(), probe_until=None)
    ask(member_client)
    key = stored_key(first)
    assert (key.benched_until, key.bench_code, key.probe_until, key.benched_since) == (None,) * 4, "it let us in"
    assert key.strikes == 2, "and said nothing yet"
    assert ask(member_client).json["status"] == "complete"
    key = stored_key(first)
    assert (key.strikes, key.last_error_code, key.last_error_at, key.last_error_detail) == (0, None, None, None)
    upstream.script(refusal)
    ask(member_client)
    assert stored_key(first).strikes == 1, "what is over is not counted again"


def test_a_topped_up_account_works_at_once(member_client: PageClient, upstream: ScriptedUpstream, first: str) -> None:
    upstream.script(twin.Status(402, "Insufficient Balance"))
    assert code_of(ask(member_client)) == "upstream_no_balance"
    assert stored_key(first).last_error_detail == "Insufficient Balance"
    assert ask(member_client).json["status"] == "complete"
    key = stored_key(first)
    assert (key.benched_until, key.strikes, key.last_error_detail) == (None, 0, None)


def test_an_empty_account_is_asked_at_most_every_ten_seconds(
    member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(twin.Status(402), always=True)
    told = [ask(member_client) for _ in range(5)]
    assert {code_of(response) for response in told} == {"upstream_no_balance"}
    assert len(upstream.journal.chats) == 2, "the first, and one probe"
    assert [response.status_code for response in told[2:]] == [503] * 3
    assert "balance" in told[-1].json["error"]["message"]


def test_many_people_at_once_make_one_probe(member_client: PageClient, upstream: ScriptedUpstream, first: str) -> None:
    upstream.script(twin.Status(429, retry_after=30))
    ask(member_client)
    upstream.journal.clear()
    change_key(first, benched_until=utc_now(), probe_until=None)
    upstream.script(twin.Status(429, retry_after=30), always=True)
    at_once(3, lambda _: ask(member_client))
    assert len(upstream.journal.chats) == 1
    assert stored_key(first).strikes == 2
