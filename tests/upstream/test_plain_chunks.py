"""What is read of a chunk the short way, by its words alone, is what is read of it in full."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import Reasoning, Token
from flask_app.upstream import chunks, plain_chunks
from flask_app.upstream.chunks import ChunkReader


def plain(words: str, name: str = "x") -> bytes:
    return json.dumps({"id": name, "choices": [{"index": 0, "delta": {"content": words}}]}).encode()


TEXTS = st.sampled_from([None, "", "a", "é", "词", "\n"])
CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("content", "reasoning_content", "reasoning"), TEXTS),
        "refusal": st.sampled_from([None, "", "no", ["no"]]),
        "tool_calls": st.sampled_from([None, [], [CALL]]),
        "role": st.just("assistant"),
    },
)
SAID = st.fixed_dictionaries(
    {"delta": DELTAS},
    optional={
        "index": st.sampled_from([0, 0, 0, 1, None, "0", 0.5]),
        "finish_reason": st.sampled_from([None, "stop"]),
        "logprobs": st.sampled_from([None, {"content": [{"token": "a"}]}]),
    },
)
CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(SAID, max_size=2)},
    optional={
        "model": st.sampled_from([None, "m", "m", "other", 7]),
        "usage": st.sampled_from([None, {"prompt_tokens": 3, "completion_tokens": 9}]),
        "error": st.sampled_from([None, {"message": "no"}]),
        "id": st.just("x"),
    },
)


@given(st.lists(CHUNKS, max_size=8))
def test_what_is_read_the_short_way_is_read_no_other_than_in_full(chunks: list[object]) -> None:
    here, in_full = ChunkReader(), ChunkReader()
    for payload in (json.dumps(chunk).encode() for chunk in chunks):
        assert here.read([payload]) == in_full._read_in_full([payload])
    assert (repr(here.fault), here.finished) == (repr(in_full.fault), in_full.finished)


PLAIN = (  # with words in one place; what else they say may be what others say too
    b'{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"%b"},"logprobs":null,"finish_reason":null}]}',
    b'{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"%b"}}],"usage":null}',
    b'{"id":"x","model":"m","choices":[{"index":0,"delta":{"reasoning_content":"%b","content":""}}]}',
    b'{"model": "m", "choices": [{"index": 0, "delta": {"content": "%b"}}], "created": 1}',
    b'{"model":"other","choices":[{"index":0,"delta":{"content":"%b"}}]}',
    b'{"choices":[{"index":1,"delta":{"content":"%b"}}]}',
    b'{"aside":{"content":"a"},"choices":[{"index":0,"delta":{"content":"%b"}}]}',
    b'{"choices":[{"index":0,"delta":{"content":"%b","content":"a"}}]}',
    b'{"choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":"stop"}]}',
    b'{"choices":[{"index":0,"delta":{"content":"%b"}}],"usage":{"prompt_tokens":3,"completion_tokens":9}}',
)
INSIDE = (
    *(b"a", b"b", "词".encode(), b"", rb"\"", rb"\\", rb"\n", rb"\u00e9", rb"\ud800"),
    *(b"\n", b"\xff", b'"', b"\\", b'","x":"', b'"},{"'),
)


SAID = st.builds(
    lambda form, words: form.replace(b"%b", b"".join(words)),
    st.sampled_from(PLAIN),
    st.lists(st.sampled_from(INSIDE), max_size=3),
)
ALIKE = st.builds(lambda count, words: [PLAIN[0].replace(b"%b", words)] * count, st.integers(1, 4), st.just(b"a"))


@given(st.lists(st.one_of(st.lists(SAID, min_size=1, max_size=3), ALIKE), max_size=12))
def test_chunks_that_are_alike_but_for_their_words_are_read_no_other_than_in_full(said: list[list[bytes]]) -> None:
    here, in_full = ChunkReader(), ChunkReader()
    for payloads in said:
        assert here.read(payloads) == in_full._read_in_full(payloads)
        assert (repr(here.fault), here.finished) == (repr(in_full.fault), in_full.finished)
        if here.fault:
            return


def test_words_in_the_place_of_others_are_read_without_decoding_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ChunkReader()
    form = PLAIN[0]
    for words in (b"first", b"second"):
        reader.read([form.replace(b"%b", words)])
    monkeypatch.setattr(chunks, "decode_plain", None)
    monkeypatch.setattr(chunks, "_decode_chunk", None)
    assert reader.read([form.replace(b"%b", rb"th\"ird")]) == [Token('th"ird')]
    assert reader.read([form.replace(b"%b", words) for words in (b"a", b"b", b"c")]) == [Token("abc")]


def test_what_changes_in_every_chunk_is_looked_for_no_more_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, looked = ChunkReader(), list[bytes]()
    of = plain_chunks.Form.of

    def noted(payload: bytes, word: Token | Reasoning) -> plain_chunks.Form | None:
        looked.append(payload)
        return of(payload, word)

    monkeypatch.setattr(plain_chunks.Form, "of", noted)
    reader.read([b'{"choices":[{"index":0,"delta":{"role":"assistant"}}]}'])
    said = [plain(f"{n} ", str(n)) for n in range(2 * chunks.MOST_FORMS)]
    assert [event for each in said for event in reader.read([each])] == [Token(f"{n} ") for n in range(len(said))]
    assert len(looked) == chunks.MOST_FORMS


def test_a_long_text_is_looked_through_in_little_time_and_memory() -> None:
    words = "a" * 900_000 + "\\" * 20_000
    payload = plain(words)
    tracemalloc.start()
    try:
        form = plain_chunks.Form.of(payload, Token(words))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert form
    assert most < 8 * len(payload), "what is decoded to be sure, and little else"
