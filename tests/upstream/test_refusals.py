"""What a provider's refusal means: code, when to come back, its own words."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from flask_app.domain import cooldown
from flask_app.upstream import refusals
from flask_app.upstream.refusals import refusal, retry_after

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "upstream_rejected", False),
        (404, "upstream_rejected", False),
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
    ("value", "seconds"),
    [
        ("7", 7),
        (" 120 ", 120),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 31),
        ("Wed, 25 Nov 2026 03:00:30 -0000", 31),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), None),
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


def test_whatever_another_key_may_mend_has_a_rule() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(refusals.__file__).parent.glob("*.py"))
    codes = set(re.findall(r'UpstreamError\("(\w+)", retryable=True', sources))
    assert len(codes) >= 5
    assert codes | {code for code, _ in refusals._CODES.values()} | {"upstream_failed"} <= set(cooldown.RULES)


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
