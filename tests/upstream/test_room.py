"""How long an answer may become."""

import msgspec
import pytest

from flask_app.domain.events import Event, Finished, Logprobs, OfChoice, Reasoning, Token, ToolCall
from flask_app.errors import UpstreamError
from flask_app.upstream import client
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.room import LIKELY_BYTES, LONGEST, Room
from tests.support.scripted_upstream import Answer, Endless, ScriptedUpstream


def length_until_full(room: Room, piece: Event) -> int:
    pieces = 1
    while not room.is_full_after([piece]):
        pieces += 1
    return pieces


@pytest.mark.parametrize("kind", [Token, Reasoning])
def test_room_follows_what_was_asked_for(kind: type[Token | Reasoning]) -> None:
    honest = kind("four")
    assert 300 * 2 <= length_until_full(Room(300), honest) <= 300 * 4
    assert 384_000 < length_until_full(Room(None), honest) < 600_000
    assert length_until_full(Room(10**9), kind("x" * 10_000)) == length_until_full(Room(None), kind("x" * 10_000))


def test_pieces_without_a_length_fill_it_too() -> None:
    assert length_until_full(Room(None), Token("")) <= LONGEST


def test_how_likely_tokens_were_has_a_room_of_its_own() -> None:
    """It is kept for a whole answer, and in a stream's log."""
    likely = Logprobs((msgspec.Raw(b"x" * 1_000),) * 10)
    assert 0.8 * LIKELY_BYTES < 10_000 * length_until_full(Room(100), likely) < LIKELY_BYTES
    assert length_until_full(Room(100, 8), OfChoice(7, likely)) == length_until_full(Room(100), likely)
    assert length_until_full(Room(None), Logprobs((msgspec.Raw(b""),))) < 1 << 20


def test_each_call_takes_room() -> None:
    """It is remembered, with its id."""
    assert length_until_full(Room(None), ToolCall(0, "x" * 10_000)) < LONGEST / 10_000 + 2
    assert 1_000 < length_until_full(Room(None), ToolCall(0, "x")) < 50_000
    assert length_until_full(Room(None), ToolCall(0, None, None, "x")) > 500_000


def test_thoughts_take_no_room_from_the_text() -> None:
    room = Room(100)
    assert not room.is_full_after([Reasoning("x" * 5_000), Token("x" * 5_000)])
    assert room.is_full_after([Finished("stop"), Reasoning("x" * 1_000)])


@pytest.mark.security("requests-bounded")
@pytest.mark.parametrize("kind", ["content", "reasoning_content"])
def test_a_provider_that_ignores_the_length_is_cut_and_hung_up_on(kind: str) -> None:
    with ScriptedUpstream() as provider:
        provider.script(Endless(kind=kind), Answer("again"))
        events = ask(provider, max_tokens=50)
        assert events[-1] == Finished("length")
        assert 50 < sum(len(event.text) for event in events if isinstance(event, Token | Reasoning)) < 1 << 17
        provider.journal.wait_until_idle()
        assert provider.journal.last.closed_early
        assert Token("again") in ask(provider)


def test_an_answer_that_ends_by_itself_keeps_its_own_reason() -> None:
    with ScriptedUpstream() as provider:
        provider.script(Answer("word " * 400, finish_reason="stop"))
        assert Finished("stop") in ask(provider, max_tokens=10)


@pytest.mark.parametrize("silently", [True, False])
def test_a_stream_without_end_is_cut_at_its_bytes(monkeypatch: pytest.MonkeyPatch, silently: bool) -> None:
    monkeypatch.setattr(client, "MAX_STREAM_BYTES", 1 << 18)
    with ScriptedUpstream() as provider:
        provider.script(Endless(silently=silently))
        if silently:
            with pytest.raises(UpstreamError, match="upstream_garbage"):
                ask(provider)
        else:
            assert ask(provider)[-1] == Finished("length")


def ask(provider: ScriptedUpstream, **fields: object) -> list[Event]:
    body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "hi"}], "stream": True} | fields
    stream = ChatStream(Endpoint(provider.base_url, "sk-a", allow_insecure=True), body, "r")
    stream.open()
    events: list[Event] = []
    stream.deliver(events.extend)
    return events
