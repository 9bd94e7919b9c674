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
        (302, "upstream_garbage", True),
        (200, "upstream_garbage", False),
        (408, "upstream_timeout", True),
        (409, "upstream_failed", True),
        (425, "upstream_failed", True),
        (418, "upstream_rejected", False),
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
        ({"code": "Arrearage", "type": "Arrearage", "message": "Access denied"}, "upstream_no_balance"),
        ({"code": "1113", "message": "余额不足"}, "upstream_no_balance"),
        ({"code": 1113}, "upstream_no_balance"),
        ({"code": "rate_limit_exceeded", "type": "requests"}, "upstream_busy"),
        ({"code": ["insufficient_quota"]}, "upstream_busy"),
        ({"message": "insufficient_quota"}, "upstream_busy"),
    ],
)
def test_an_empty_account_is_not_busy(error: dict[str, object], code: str) -> None:
    """OpenAI, Moonshot and Zhipu say both with 429, DashScope the one with 400."""
    refused = refusal(429, {"retry-after": "5"}, json.dumps({"error": error}).encode(), "secret")
    assert (refused.code, refused.retryable) == (code, True)
    other = refusal(400, {}, json.dumps({"error": error}).encode(), "secret")
    is_empty = code == "upstream_no_balance"
    assert (other.code, other.retryable) == (code if is_empty else "upstream_rejected", is_empty)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 400, "message": "API key not valid. Please pass a valid API key."}, "upstream_key_refused"),
        ({"message": "gone", "details": [{}, {"reason": "API_KEY_INVALID"}]}, "upstream_key_refused"),
        ({"code": "API_KEY_INVALID"}, "upstream_key_refused"),
        ({"message": "no such role: API key not valid"}, "upstream_rejected"),
        ({"message": "gone", "details": [{"reason": "BAD", "text": "API_KEY_INVALID"}]}, "upstream_rejected"),
        ({"message": "gone", "details": "API_KEY_INVALID"}, "upstream_rejected"),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
def test_a_key_that_is_none_is_refused_with_400_too(error: dict[str, object], code: str, is_listed: bool) -> None:
    """Gemini's, in a list. What a prompt may have said does not count."""
    told = {"error": error}
    refused = refusal(400, {}, json.dumps([told] if is_listed else told).encode(), "secret")
    assert (refused.code, refused.retryable) == (code, code == "upstream_key_refused")
    assert refused.detail == error.get("message")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 403, "message": "Your input was flagged. No credits were charged."}, "upstream_rejected"),
        ({"type": "content_policy", "message": "This may not be asked"}, "upstream_rejected"),
        ({"message": "Contains keywords that authors may not use"}, "upstream_rejected"),
        ({"code": "invalid_api_key"}, "upstream_key_refused"),
        ({"type": "permission_error", "message": "No"}, "upstream_key_refused"),
        ({"code": "unsupported_country_region_territory"}, "upstream_key_refused"),
        ({"message": "Your API key has no access"}, "upstream_key_refused"),
        ({"message": "账号已停用"}, "upstream_key_refused"),
        ({"code": "Arrearage"}, "upstream_no_balance"),
        ({}, "upstream_key_refused"),
        ("Unauthorized", "upstream_key_refused"),
        ("Forbidden", "upstream_key_refused"),
        ({"message": "Forbidden"}, "upstream_key_refused"),
        ({"message": "Request denied"}, "upstream_key_refused"),
        ({"message": "Your subscription has expired"}, "upstream_key_refused"),
        ({"message": "User is not active"}, "upstream_key_refused"),
        ({"message": "This user is disabled"}, "upstream_key_refused"),
        ({"message": "套餐已过期"}, "upstream_key_refused"),
        ({"message": "该用户已被禁用"}, "upstream_key_refused"),
        ({"message": "Request denied by the content filter"}, "upstream_rejected"),
        ({"message": "It contains forbidden words"}, "upstream_rejected"),
        ({"message": "内容包含禁用词"}, "upstream_rejected"),
        ({"message": "Not this"}, "upstream_rejected"),
    ],
)
def test_a_403_blames_a_key_where_it_speaks_of_the_account(error: object, code: str) -> None:
    """One prompt that was flagged must not rest all keys; whoever else may take it is asked."""
    refused = refusal(403, {}, json.dumps({"error": error}).encode(), "secret")
    assert (refused.code, refused.retryable) == (code, True)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"code": "permission-denied", "error": "No"}, "upstream_key_refused"),
        ({"code": "permission-denied", "error": "Content violates usage guidelines"}, "upstream_rejected"),
        ({"code": "invalid-argument", "error": "No"}, "upstream_rejected"),
    ],
)
def test_a_code_may_stand_beside_the_error(told: object, code: str) -> None:
    """xAI's."""
    refused = refusal(403, {}, json.dumps(told).encode(), "secret")
    assert refused.code == code
    assert refused.detail


@pytest.mark.parametrize("body", [b"", b"<html>403 Forbidden</html>", b"{}", b"[]", b"null"])
def test_a_403_that_says_nothing_blames_it_too(body: bytes) -> None:
    """The address of this machine may be shut out."""
    assert refusal(403, {}, body, "secret").code == "upstream_key_refused"


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
