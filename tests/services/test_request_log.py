"""Rows of programs' requests are written together, wait for a database that is away, and are bounded in number."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from flask_app import database
from flask_app.database import new_id, reading, transaction
from flask_app.models import ProgramRequest
from flask_app.services.gateway import request_log
from flask_app.services.gateway.request_log import OpenRequest


@pytest.fixture(autouse=True)
def _log(app: Flask) -> Iterator[None]:
    yield
    request_log.forget()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The database is away while there is something in it."""
    write, is_away = database.in_company, [True]

    def write_if_there(work: Callable[[Connection], Any]) -> Any:
        if is_away:
            raise OperationalError("", {}, Exception("away"))
        return write(work)

    monkeypatch.setattr(request_log, "in_company", write_if_there)
    return is_away


def ended(**fields: Any) -> OpenRequest:
    opened = request_log.begin(
        OpenRequest(
            request_id=new_id(), user_id="a", token_id="t", call="models", address="192.0.2.1", status=200, **fields
        )
    )
    opened.close()
    return opened


def stored() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(ProgramRequest)) or 0


def test_many_are_written_in_few_transactions(
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for _ in range(request_log.MOST_AT_ONCE + 1):
        ended()
    with query_count() as statements:
        assert request_log.write()
    assert len([each for each in statements if each.startswith("INSERT")]) == 2
    assert stored() == request_log.MOST_AT_ONCE + 1


def test_closing_twice_is_closing_once() -> None:
    opened = ended()
    opened.close()
    opened.give_up()
    request_log.write()
    assert stored() == 1


def test_what_the_database_does_not_take_waits(away: list[bool]) -> None:
    ended()
    assert not request_log.write()
    away.clear()
    assert request_log.write()
    assert stored() == 1


def test_a_commit_whose_reply_was_lost_leaves_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    write, replies = database.in_company, ["lost"]

    def write_and_lose(work: Callable[[Connection], Any]) -> None:
        write(work)
        if replies:
            raise OperationalError("", {}, Exception(replies.pop()))

    monkeypatch.setattr(request_log, "in_company", write_and_lose)
    ended()
    assert not request_log.write()
    assert request_log.write()
    assert stored() == 1


def test_no_more_than_so_many_wait_and_the_log_has_the_others(
    away: list[bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_log, "MOST_WAITING", 3)
    first, *_ = [ended() for _ in range(5)]
    said = capsys.readouterr().err
    assert said.count("request_lost") == 3
    assert first.id in said
    away.clear()
    request_log.write()
    assert stored() == 2


def test_who_fills_the_room_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "MOST_WAITING", 3)
    for _ in range(3):
        ended()
    assert stored() == 3


def test_one_that_is_refused_does_not_keep_the_others_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Such as an address that is longer than the column; SQLite looks at no length."""
    with transaction() as session:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(
                text(
                    "CREATE TRIGGER too_long BEFORE INSERT ON program_requests WHEN length(NEW.error_code) > 64"
                    " BEGIN SELECT RAISE(ABORT, 'too long'); END"
                )
            )
    try:
        ended()
        ended(error_code="x" * 65)
        ended()
        assert request_log.write()
    finally:
        with transaction() as session:
            session.execute(text("DROP TRIGGER IF EXISTS too_long"))
    assert stored() == 2
    assert "request_lost" in capsys.readouterr().err


def test_the_end_of_a_process_writes_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "FINISH_SECONDS", 0)
    request_log.begin(OpenRequest(request_id="r", user_id="a", token_id="t", call="models", address=""))
    request_log.finish()
    with reading() as session:
        row = session.scalars(select(ProgramRequest)).one()
    assert (row.status, row.error_code, row.attempts) == (503, "restarting", 0)


def test_what_cannot_be_written_at_the_end_is_in_the_log(
    away: list[bool], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_log, "FINISH_SECONDS", 0)
    opened = ended()
    request_log.finish()
    assert opened.request_id in capsys.readouterr().err
