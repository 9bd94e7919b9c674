import tracemalloc
from itertools import combinations_with_replacement, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzz.reference import NamedData, decoded
from flask_app.domain.sse import BYTE_ORDER_MARK, Decoder, Named

TRICKY = (
    BYTE_ORDER_MARK + b"data: \xe6\x98\x8e\xe8\x81\x8a\r\n\r\n"
    b": keep-alive\n\n"
    b"data: one\r\ndata:  two\r\n\r\n"
    b"event: error\rdata:no\r\r"
    b"event: message\nid: 7\nretry\ndata\n\n\n"
    b"event: lost\n\ndata: [DONE]\n\r\n"
    b"data: cut"
)


def reference(stream: bytes) -> list[NamedData]:
    return decoded(stream, len(stream)).events


def decode(chunks: list[bytes]) -> list[NamedData]:
    decoder = Decoder()
    payloads = [payload for chunk in chunks for payload in decoder.feed(chunk)] + decoder.close()
    return [(getattr(payload, "event", b""), bytes(payload)) for payload in payloads]


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


FIELDS = [b"data: ", b"data:", b"data", b"event: error", b"event:message", b"event:", b"id: 1", b""]
VALUES = [b"", b" ", b": ping", "明聊🙂".encode(), b"[DONE]", b'{"a": "b"}', b"\x00", b"\xff"]
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b""]
lines = st.tuples(*map(st.sampled_from, (FIELDS, VALUES, ENDS))).map(b"".join)
starts = st.sampled_from([b"", BYTE_ORDER_MARK, b"\xef", b"\xef\xbb", BYTE_ORDER_MARK * 2])
streams = st.tuples(starts, st.lists(lines, max_size=12).map(b"".join)).map(b"".join)
cut_points = st.lists(st.integers(min_value=0, max_value=250), max_size=12)


def test_tricky_stream_decodes_as_the_standard_says() -> None:
    assert decode([TRICKY]) == [
        (b"", "明聊".encode()),
        (b"", b"one\n two"),
        (b"error", b"no"),
        (b"", b""),
        (b"", b"[DONE]"),
        (b"", b"cut"),
    ]


def test_every_pair_of_cuts_in_the_tricky_stream_gives_the_same_events() -> None:
    whole = reference(TRICKY)
    for cuts in combinations_with_replacement(range(len(TRICKY) + 1), 2):
        assert decode(split(TRICKY, list(cuts))) == whole, cuts


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert decode([bytes([byte]) for byte in TRICKY]) == reference(TRICKY)


@settings(max_examples=300)
@given(streams, cut_points)
def test_any_split_of_any_stream_gives_the_events_of_the_whole(stream: bytes, cuts: list[int]) -> None:
    assert decode(split(stream, cuts)) == reference(stream)


@settings(max_examples=300)
@given(streams, cut_points)
def test_an_event_is_given_as_soon_as_its_blank_line_has_come(stream: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    so_far, given_so_far = b"", 0
    for chunk in split(stream, cuts):
        so_far += chunk
        given_so_far += len(decoder.feed(chunk))
        assert given_so_far == len(reference(closed_part(so_far)))


def closed_part(stream: bytes) -> bytes:
    """What comes before the last blank line; the rest is an event still open."""
    text = stream.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (b"\n\n" + text).rpartition(b"\n\n")[0]


def test_a_name_stays_with_its_event_alone() -> None:
    failed, plain = Decoder().feed(b'event: error\ndata: {"a":1}\n\ndata: {"a":2}\n\n')

    assert isinstance(failed, Named)
    assert failed.event == b"error"
    assert not isinstance(plain, Named)
    assert msgspec.json.decode(failed) == {"a": 1}


def test_an_event_without_data_is_no_event() -> None:
    assert Decoder().feed(b"event: ping\nid: 3\n\n: comment\n\n\n\n") == []


def test_close_gives_the_last_event_once() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\n\ndata: [DONE]") == [b"a"]
    assert decoder.close() == [b"[DONE]"]
    assert decoder.close() == []


@pytest.mark.parametrize("ended", [b"", b"\n\n"])
def test_an_event_over_the_limit_is_refused(ended: bytes) -> None:
    assert Decoder(100).feed(b"data: " + b"x" * 94 + b"\n\n" + b"data: y\n\n" * 40)[0] == b"x" * 94
    decoder = Decoder(100)
    assert decoder.feed(b"data: before\n\n" + b"data: " + b"x" * 95 + ended) == [b"before"]
    assert "100 bytes" in str(decoder.fault)
    assert decoder.feed(b"data: after\n\n") == decoder.close() == []


@given(st.lists(st.integers(min_value=0, max_value=210), max_size=4))
def test_an_event_that_just_fits_does_so_however_it_is_cut(cuts: list[int]) -> None:
    fits = b"data: " + b"x" * 94 + b"\n\n"
    decoder = Decoder(100)
    payloads = [payload for chunk in split(fits * 2, cuts) for payload in decoder.feed(chunk)]
    assert payloads == [b"x" * 94] * 2
    assert decoder.fault is None


def test_many_lines_of_one_event_count_together() -> None:
    decoder = Decoder(1000)
    feed_all(decoder, [b"data: x\r\n"] * 200)
    assert decoder.fault


def test_a_line_of_ten_megabytes_leaves_memory_flat() -> None:
    chunks = [b"x" * 16_384] * 640
    tracemalloc.start()
    decoder = Decoder()
    feed_all(decoder, chunks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert decoder.fault
    assert peak < 3 << 20


def feed_all(decoder: Decoder, chunks: list[bytes]) -> None:
    for chunk in chunks:
        decoder.feed(chunk)
