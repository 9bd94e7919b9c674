"""What is sealed is read a few rows at a time, however many there are."""

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from flask_app import config
from flask_app.database import fetching, new_id, reading, transaction, utc_now
from flask_app.models import ProgramWords, User
from flask_app.services.operations import doctor_service
from flask_app.services.secrets import sealed, sealing
from tests.support.keys import keep_key, keep_provider

ROWS, LETTERS = 5 * sealed.AT_ONCE + 7, 200_000
A_PAGE = sealed.AT_ONCE * LETTERS


@pytest.fixture
def kept(member: User) -> list[str]:
    """The ids of as many kept requests, beside two keys."""
    provider = keep_provider("one", "https://one.example")
    for name in "ab":
        keep_key(provider, name)
    ids = [new_id() for _ in range(ROWS)]
    until = utc_now() + timedelta(hours=1)
    for number, each in enumerate(ids):
        content = sealing.seal(f"{number} " + "x" * LETTERS, each)
        with transaction() as session:
            session.add(ProgramWords(id=each, user_id=member.id, token_id="t", content=content, until=until))
    gc.collect()
    return ids


@contextmanager
def holding_no_more_than(most: int) -> Iterator[None]:
    """In bytes at once."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak} bytes were held"


def test_all_are_found_once_and_no_more_than_a_page_is_held(kept: list[str]) -> None:
    assert ROWS * LETTERS > 5 * A_PAGE, "all of it must be more than the bound"
    found = []
    with fetching() as connection, holding_no_more_than(3 * A_PAGE):
        found += [secret.row_id for secret in sealed.stored(connection)]
    assert found == ["a", "b", *sorted(kept)]


def test_as_little_is_held_while_they_are_sealed_anew(kept: list[str]) -> None:
    for lock in (False, True):
        with transaction() as session, holding_no_more_than(3 * A_PAGE):
            assert sum(1 for _ in sealed.stored(session.connection(), lock=lock)) == ROWS + 2
    with transaction() as session:
        assert sealed.reseal(session.connection(), (config.current().encryption_key,)).resealed == 0
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ProgramWords)) == ROWS


def test_as_little_is_held_by_the_doctor(kept: list[str]) -> None:
    with holding_no_more_than(3 * A_PAGE):
        findings = [finding.what for finding in doctor_service._sealed()]
    assert findings == [f"secrets: {ROWS + 2} can be decrypted"]
