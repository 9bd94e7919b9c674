"""Secrets at rest: only their own row opens them, and only with the key they were sealed with."""

import dataclasses

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flask_app import config
from flask_app.services.secrets.sealing import MIN_HIDDEN, Unreadable, hint_of, seal, unseal

CANARY = "sk-canary-0123456789abcdef"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.text(max_size=200), row_id=st.text(min_size=1, max_size=40))
def test_what_was_sealed_comes_back(app: Flask, secret: str, row_id: str) -> None:
    assert unseal(seal(secret, row_id), row_id) == secret


def test_the_secret_is_not_in_what_is_stored_and_no_two_are_alike(app: Flask) -> None:
    first, second = seal(CANARY, "row"), seal(CANARY, "row")
    assert CANARY.encode() not in first
    assert first != second


@pytest.mark.security("sealed-to-its-row")
def test_swapped_rows_do_not_open(app: Flask) -> None:
    with pytest.raises(Unreadable, match="secret_damaged"):
        unseal(seal(CANARY, "one row"), "another row")


@pytest.mark.parametrize("position", [17, 25, -1])
def test_a_changed_byte_does_not_open(app: Flask, position: int) -> None:
    sealed = bytearray(seal(CANARY, "row"))
    sealed[position] ^= 1
    with pytest.raises(Unreadable, match="secret_damaged"):
        unseal(bytes(sealed), "row")


@pytest.mark.parametrize("length", [5, 16, 17, 20])
def test_a_cut_one_does_not_open(app: Flask, length: int) -> None:
    with pytest.raises(Unreadable, match="secret_damaged"):
        unseal(seal(CANARY, "row")[:length], "row")


def test_another_encryption_key_is_named_as_the_reason(app: Flask) -> None:
    sealed = seal(CANARY, "row")
    config.install(dataclasses.replace(config.current(), encryption_key="quite another key of sufficient length"))
    with pytest.raises(Unreadable, match="encryption_key_changed"):
        unseal(sealed, "row")


def test_a_hint_shows_four_characters_of_a_long_secret_and_none_of_a_short_one() -> None:
    assert hint_of(CANARY) == "cdef"
    assert hint_of("x" * (MIN_HIDDEN + 3)) == ""
