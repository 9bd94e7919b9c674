"""What a provider's refusal means: code, when to come back, its own words."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import cooldown
from flask_app.upstream import refusals
from flask_app.upstream.refusals import refusal, retry_after

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "upstream_rejected", False),
        (404, "upstream_rejected", True),
        (422, "upstream_rejected", False),
        (401, "upstream_key_refused", True),
        (403, "upstream_key_refused", True),
        (402, "upstream_no_balance", True),
        (429, "upstream_busy", True),
        (500, "upstream_failed", True),
        (502, "upstream_failed", True),
        (503, "upstream_overloaded", True),
        (504, "upstream_timeout", True),
        (529, "upstream_failed", True),
        (302, "upstream_garbage", False),
    ],
)
def test_a_status_has_its_meaning(status: int, code: str, retryable: bool) -> None:
    error = refusal(status, {}, b"", "secret")
    assert (error.code, error.retryable, error.upstream_status) == (code, retryable, status)
    assert (error.retry_after, error.detail) == (None, None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "insufficient_quota", "type": "insufficient_quota"}, "upstream_no_balance"),
        ({"type": "exceeded_current_quota_error"}, "upstream_no_balance"),
        ({"code": "billing_hard_limit_reached"}, "upstream_no_balance"),
        ({"code": "rate_limit_exceeded", "type": "requests"}, "upstream_busy"),
        ({"code": ["insufficient_quota"]}, "upstream_busy"),
        ({"message": "insufficient_quota"}, "upstream_busy"),
    ],
)
def test_an_empty_account_is_not_busy(error: dict[str, object], code: str) -> None:
    """OpenAI and Moonshot say both with 429."""
    refused = refusal(429, {"retry-after": "5"}, json.dumps({"error": error}).encode(), "secret")
    assert (refused.code, refused.retryable) == (code, True)
    other = refusal(400, {}, json.dumps({"error": error}).encode(), "secret")
    assert other.code == "upstream_rejected"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 31),
        ("Wed, 25 Nov 2026 03:00:30 -0000", 31),
        ("Wednesday, 25-Nov-26 03:00:30 GMT", 31),
        ("Wed Nov 25 03:00:30 2026", 31),
        ("Wed, 25 Nov 2026 03:00:30", 31),
        ("Wed, 25 Nov 2026 03:00:30 UTC", 31),
        ("Wed, 25 Nov 2026 03:00:30 CST", 31),
        ("Wed, 25 Nov 2026 03:00:30 EST", 31),
        ("Wed, 25 Nov 2026 03:00:30 Local", 31),
        ("Wed, 25 Nov 2026 11:00:30 +0800", 31),
        ("Wed, 25 Nov 2026 11:00:30 +08:00", 31),
        ("Tue, 24 Nov 2026 22:00:30 -0500", 31),
        ("Wed, 25 Nov 2026 03:00:60 GMT", 60),
        ("Wed, 25 Nov 2026 03:59:59 GMT", 3600),
        ("Wed, 25 Nov 2026 04:59:59 GMT", 3600),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Friday, 31-Dec-99 23:59:59 GMT", None),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), None),
        (format_datetime(NOW, usegmt=True), None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", None),
        ("Wed, 25 Nov 99999999999 03:00:30 GMT", None),
        ("Wed, 25 Nov 2026 03:00:30 +99999999999999999999", 31),
        ("Wed, 31 Feb 2026 03:00:30 GMT", None),
        ("Wed, 25 Nov 2026 99:00:30 GMT", None),
        ("2026-11-25T03:00:30Z", None),
        ("9" * 64, 3600),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
        ("9" * 65, None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: int | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(value=st.text(alphabet="Wed,25Nov-20:3 GMT+\t\0é", max_size=40) | st.text(max_size=70))
def test_nothing_that_a_header_may_say_is_more_than_a_time_to_wait(value: str) -> None:
    assert (retry_after(value, NOW) or 1) in range(1, cooldown.MAX_RETRY_AFTER + 1)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"])
def test_the_machines_time_zone_shifts_no_date(monkeypatch: pytest.MonkeyPatch, zone: str, form: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        headers = {"retry-after": (datetime.now(UTC) + timedelta(seconds=90)).strftime(form)}
        assert refusal(429, headers, b"", "secret").retry_after in range(60, 92)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("wrong_by", [timedelta(hours=1), -timedelta(hours=1), timedelta(0)])
def test_a_date_is_read_by_the_providers_own_clock(wrong_by: timedelta) -> None:
    there = datetime.now(UTC) + wrong_by
    said = {"date": there, "retry-after": there + timedelta(seconds=30)}
    headers = {name: format_datetime(moment, usegmt=True) for name, moment in said.items()}
    assert refusal(429, headers, b"", "secret").retry_after == 31


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"error":{"message":"Insufficient Balance","type":"x"}}', "Insufficient Balance"),
        (b'{"error":"plain words"}', "plain words"),
        (b'{"error":{"message":"the key my-own-key is wrong"}}', "the key … is wrong"),
        (b'{"error":{"message":5}}', None),
        (b'{"message":"elsewhere"}', None),
        (b"<html>502 Bad Gateway my-own-key</html>", None),
        (b'{"error":' + b"[" * 50_000, None),
        (b'{"error":{"message":"\xff"}}', None),
        (b"", None),
    ],
)
def test_only_the_errors_message_is_taken(body: bytes, detail: str | None) -> None:
    assert refusal(401, {}, body, "my-own-key").detail == detail


@pytest.mark.parametrize("word", ["exceed", "exceed ", "exceedx", "context ", "input is ", "prompt", "a"])
def test_a_long_complaint_keeps_nobody_waiting(word: str) -> None:
    """The worker reads it on the thread that serves everybody."""
    body = json.dumps({"error": {"message": (word * 60_000)[:60_000]}}).encode()
    began = time.thread_time()
    assert refusal(400, {}, body, "a secret of some length").code == "upstream_rejected"
    assert time.thread_time() - began < 0.3


def test_whatever_another_key_may_mend_has_a_rule() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(refusals.__file__).parent.glob("*.py"))
    codes = set(re.findall(r'UpstreamError\("(\w+)", retryable=True', sources))
    assert len(codes) >= 5
    told = codes | {code for code, _ in refusals._CODES.values()} | {"upstream_failed"}
    assert told - set(cooldown.RULES) == {"upstream_rejected"}, "a model that it has not blames no key"


def test_a_body_is_read_up_to_a_limit() -> None:
    asked = []

    def endless() -> bytes:
        asked.append(1)
        return b"x" * 10_000

    assert len(refusals.read_body(endless)) == refusals.MAX_BODY_BYTES
    assert len(asked) == 7


def test_a_body_is_read_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "BODY_SECONDS", 0)
    assert refusals.read_body(lambda: b"x") == b""
