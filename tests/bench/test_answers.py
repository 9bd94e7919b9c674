"""The benchmark must see what it claims to see: a loss, a repeat, another answer's token."""

import json

import pytest

from bench import upstream
from bench.answers import PIECES, asked, fault_in, first_mark, first_piece, question, sent_ns
from bench.wire import Broken, answer_text

TOKENS = 20
GOOD = [first_piece("a1", 42), *PIECES[1:TOKENS]]
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_whole_answer_has_no_fault() -> None:
    assert fault_in("".join(GOOD), "a1", TOKENS) is None
    assert sent_ns("".join(GOOD)) == 42
    assert first_mark("a1") in "".join(GOOD).encode()


@pytest.mark.parametrize("at", range(TOKENS))
def test_a_lost_token_is_a_fault(at: int) -> None:
    assert fault_in("".join(GOOD[:at] + GOOD[at + 1 :]), "a1", TOKENS)


@pytest.mark.parametrize("at", range(TOKENS))
def test_a_repeated_token_is_a_fault(at: int) -> None:
    assert fault_in("".join(GOOD[: at + 1] + GOOD[at:]), "a1", TOKENS)


def test_another_answer_is_a_fault() -> None:
    assert fault_in("".join([first_piece("a2", 42), *GOOD[1:]]), "a1", TOKENS)


def test_the_provider_understands_the_question() -> None:
    body = {"messages": [{"content": question("a7", 3)}, {"content": question("a8", 400)}]}

    assert asked(json.dumps(body).encode()) == ("a8", 400)


def test_a_provider_stream_is_read() -> None:
    tokens = [upstream.delta(piece) for piece in GOOD]
    raw = b"".join([HEAD, *tokens, upstream.LAST, upstream.chunk([], upstream.usage_of(TOKENS)), upstream.DONE])

    assert answer_text(raw, "provider") == ("".join(GOOD), TOKENS)


def test_a_chat_stream_is_read_where_tokens_share_an_event() -> None:
    assert answer_text(chat(GOOD[:4], GOOD[4:]), "chat") == ("".join(GOOD), 2)


def test_an_answer_without_a_good_end_is_broken() -> None:
    with pytest.raises(Broken, match="interrupted"):
        answer_text(chat(GOOD, status="interrupted"), "chat")
    with pytest.raises(Broken, match="503"):
        answer_text(b'HTTP/1.1 503 Service Unavailable\r\n\r\n{"error": {}}', "chat")


def chat(*batches: list[str], status: str = "complete") -> bytes:
    """MingChat's response with a token event for each batch."""
    events = [b": ping\n\n"]
    events += [b"id: 1\nevent: token\ndata: " + json.dumps({"text": "".join(b)}).encode() + b"\n\n" for b in batches]
    events.append(b"id: 2\nevent: done\ndata: " + json.dumps({"status": status}).encode() + b"\n\n")
    return HEAD + b"".join(upstream.framed(event) for event in events) + b"0\r\n\r\n"
