"""A provider's decimal strings as whole micro-units."""

import json
from typing import Any

import pytest

from flask_app.domain import balance
from flask_app.domain.balance import Balance, Sum


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("110.00", 110_000_000),
        ("0.1", 100_000),
        ("0.0000015", 2),
        ("0.0000005", 0),
        ("-3.25", -3_250_000),
        ("1e2", 100_000_000),
        ("123456789.123456", 123_456_789_123_456),
        ("0", 0),
    ],
)
def test_an_amount_is_exact_to_the_millionth(amount: str, micros: int) -> None:
    assert balance.micros(amount) == micros


@pytest.mark.parametrize("amount", ["", "NaN", "Infinity", "-inf", "1e999999", "9" * 30, "1,5", "12 CNY", "0x10"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="no "):
        balance.micros(amount)


def told(**fields: Any) -> bytes:
    info = {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"}
    return json.dumps({"is_available": True, "balance_infos": [info | fields]}).encode()


def test_a_reply_is_read_and_kept() -> None:
    found = balance.parse(told())
    assert found == Balance(
        available=True, sums=[Sum(currency="CNY", total=110_000_000, granted=10_000_000, topped_up=100_000_000)]
    )
    assert Balance.restored(found.stored()) == found


@pytest.mark.parametrize(
    ("left", "other"),
    [
        ({"CNY": 1}, None),
        ({"USD": 1}, "USD"),
        ({"CNY": 0, "USD": 1}, "USD"),
        ({"CNY": -5, "USD": 1}, "USD"),
        ({"CNY": 1, "USD": 9}, None),
        ({"CNY": 0, "USD": 0}, None),
        ({}, None),
    ],
)
def test_money_in_another_currency_only_is_noticed(left: dict[str, int], other: str | None) -> None:
    sums = [Sum(currency=each, total=total, granted=0, topped_up=total) for each, total in left.items()]
    assert Balance(available=True, sums=sums).other_than("CNY") == other


def test_of_very_many_currencies_the_first_ones_are_kept_and_fit_their_column() -> None:
    info = {"currency": "CNY", "total_balance": "-999999999.123456"}
    found = balance.parse(json.dumps({"is_available": False, "balance_infos": [info] * 500}).encode())
    assert len(found.sums) == balance.MAX_SUMS
    assert len(found.stored()) <= 1000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"is_available": true}',
        b'{"is_available": "yes", "balance_infos": []}',
        told(total_balance=110.0),
        told(total_balance="NaN"),
        told(currency="yuan"),
        told(currency="<b>"),
        b"[" * 100_000,
    ],
)
def test_anything_else_is_no_balance(raw: bytes) -> None:
    with pytest.raises(ValueError, match="no "):
        balance.parse(raw)
