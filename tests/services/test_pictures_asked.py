"""Pictures on their way to a provider: how much of them a process holds, and what comes of those nobody can read."""

import dataclasses
import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import in_writing, reading
from flask_app.errors import Unavailable
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover, picture_room
from flask_app.services.completion.completion_service import Completion
from flask_app.services.completion.settling import settle
from flask_app.services.providers import model_service
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.upstream.client import ChatStream
from tests.support.brokers import wait_until
from tests.support.keys import keep_key
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream, Status


@dataclass(frozen=True)
class Picture:
    """One that is read by `read`."""

    read: Callable[[], str | None]
    length: int = 1000
    most_tokens: int = 0
    name: str = "cat.png"

    def address(self) -> str | None:
        return self.read()


def begun(member: User, picture: Picture) -> tuple[Completion, StopSignal]:
    model = dataclasses.replace(model_service.find(None))
    turn = Turn("user", "hello", images=1, pictures=(picture,))
    names: dict[str, Any] = {"channel": "chat", "request_id": "r", "address": "127.0.0.1"}
    request = Request(user_id=member.id, model=model, turns=[turn], thinking=False, **names)
    candidates, stop = failover.candidates_for(model), StopSignal()
    ticket = in_writing(lambda connection: dispatching.dispatch(connection, request, candidates))
    return Completion(ticket, stop), stop


def ended(completion: Completion) -> Completion:
    completion.ask(lambda event: None)
    settle(completion, lambda *_, **__: ())
    return completion


def booked() -> tuple[list[str], int]:
    """How each attempt stands, and how many are in the ledger."""
    with reading() as session:
        return list(session.scalars(select(Attempt.state))), len(session.scalars(select(TokenUsage)).all())


def lost() -> str:
    raise Unavailable("database_unavailable")


def test_what_is_stopped_while_its_pictures_cannot_be_read_costs_nothing(
    member: User, upstream: ScriptedUpstream
) -> None:
    def stop_and_fail() -> str:
        stop.stop("stopped")
        return lost()

    completion, stop = begun(member, Picture(stop_and_fail))
    assert ended(completion).outcome.status == "stopped"
    assert (booked(), upstream.journal.chats) == ((["released"], 0), [])


def test_where_they_cannot_be_read_the_answer_fails_and_no_key_is_benched(
    member: User, upstream: ScriptedUpstream
) -> None:
    completion, _ = begun(member, Picture(lost))
    outcome = ended(completion).outcome
    assert (outcome.status, outcome.error_code, outcome.asked) == ("failed", "database_unavailable", False)
    assert (booked(), upstream.journal.chats, picture_room.held()) == ((["released"], 0), [], 0)
    assert ended(begun(member, Picture(lambda: "data:,"))[0]).outcome.status == "complete"


def test_a_request_is_not_kept_while_another_provider_is_asked(member: User, upstream: ScriptedUpstream) -> None:
    keep_key(model_service.find(None).provider_id, "second")
    completion, _ = begun(member, Picture(lambda: "data:image/png;base64," + "A" * 100_000))
    gate = Gate(1)
    upstream.script(Status(500), Answer("hello", gate=gate))
    asking = threading.Thread(target=ended, args=[completion])
    asking.start()
    wait_until(lambda: completion.outcome.text)  # the second one has replied, too
    gc.collect()
    streams = [each for each in gc.get_objects() if isinstance(each, ChatStream)]
    gate.open()
    asking.join()
    assert streams
    assert not any(each._body for each in streams)


def test_nor_is_one_whose_answer_is_yet_to_be_booked(member: User, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(400))
    completion, stop = begun(member, Picture(lambda: "data:,"))
    assert ended(completion).outcome.error_code == "upstream_rejected"
    assert stop._stream
    assert stop._stream._body == b""


def test_who_finds_no_room_waits(member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_room, "ROOM", 3000)
    completion, _ = begun(member, Picture(lambda: "data:,"))
    with picture_room.taken(2000, lambda: False):
        asking = threading.Thread(target=ended, args=[completion])
        asking.start()
        asking.join(0.3)
        assert (asking.is_alive(), upstream.journal.chats) == (True, [])
    asking.join(10)
    assert (completion.outcome.status, picture_room.held()) == ("complete", 0)


def test_who_asks_for_more_than_there_is_has_all_of_it(
    member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_room, "ROOM", 1)
    assert ended(begun(member, Picture(lambda: "data:,"))[0]).outcome.status == "complete"
    assert picture_room.held() == 0


def test_who_waits_for_room_is_stopped_or_told_to_come_again(
    member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_room, "ROOM", 3000)
    monkeypatch.setattr(picture_room, "LOOK_SECONDS", 0.01)
    with picture_room.taken(2000, lambda: False):
        completion, stop = begun(member, Picture(lambda: "data:,"))
        threading.Timer(0.2, stop.stop, ["stopped"]).start()
        assert ended(completion).outcome.status == "stopped"
        monkeypatch.setattr(picture_room, "WAIT_SECONDS", 0.1)
        outcome = ended(begun(member, Picture(lambda: "data:,"))[0]).outcome
        assert (outcome.status, outcome.error_code) == ("failed", "files_busy")
    assert (booked(), upstream.journal.chats) == ((["released"] * 2, 0), [])


def test_room_is_free_once_the_provider_replies(member: User, upstream: ScriptedUpstream) -> None:
    gate, seen = Gate(1), list[int]()
    upstream.script(Answer("hello", gate=gate))

    def look() -> str:
        seen.append(picture_room.held())
        return "data:,"

    completion, _ = begun(member, Picture(look))
    asking = threading.Thread(target=ended, args=[completion])
    asking.start()
    upstream.journal.wait_for(1)
    wait_until(lambda: picture_room.held() == 0)
    gate.open()
    asking.join()
    assert (seen, completion.outcome.status) == ([1336], "complete")
