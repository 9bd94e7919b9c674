"""A fault of the database, or of ours, while a title is asked for or written down: the first words stay."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from tests.support import titled
from tests.support.clients import PageClient
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.titled import QUESTION, WRITER

AWAY = OperationalError("a statement", None, Exception("the database is away"))


@contextmanager
def broken(error: Exception, is_meant: Callable[[str, str], bool]) -> Iterator[None]:
    """What a thread (its name) says to the database (a statement) meets the error, where it is meant."""

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if is_meant(threading.current_thread().name, statement):
            raise error

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)


@pytest.mark.parametrize(
    ("error", "told"),
    [(AWAY, ("warning", True)), (RuntimeError("ours"), ("error", False))],
    ids=["of the database", "of ours"],
)
def test_one_that_cannot_be_asked_for_is_told_in_the_log(
    member_client: PageClient, upstream: ScriptedUpstream, error: Exception, told: tuple[str, bool]
) -> None:
    with broken(error, lambda thread, _: thread.startswith("title-")), capture_logs() as logs:
        events = titled.ask(member_client, QUESTION)
        titled.wait()
    assert events[-1].name == "done"
    (line,) = [line for line in logs if line["event"] == "no_title"]
    assert (line["log_level"], "the database is away" in line.get("reason", "")) == told
    assert titled.title_of(events[0].data["conversation_id"]) == QUESTION
    assert (titled.requests(upstream), titled.attempts(), titled.runs()) == ([], [], [])


def test_one_that_cannot_be_written_down_is_booked_all_the_same(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    def is_the_title(thread: str, statement: str) -> bool:
        return thread.startswith("run-") and statement.startswith("UPDATE conversations SET title=")

    with broken(AWAY, is_the_title), capture_logs() as logs:
        events = titled.ask(member_client, QUESTION)
        titled.wait()
    (line,) = [line for line in logs if line["event"] == "title_not_saved"]
    assert "the database is away" in line["reason"]
    assert titled.title_of(events[0].data["conversation_id"]) == QUESTION
    assert [request.model for request in titled.requests(upstream)] == [WRITER]
    assert titled.states() == ["settled"]
