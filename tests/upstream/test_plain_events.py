"""An event that is like the one before but for its words is heard as any other would be, however the stream is cut."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_app.domain.events import Event, Token
from flask_app.domain.sse import Decoder
from flask_app.errors import UpstreamError
from flask_app.upstream.chunks import ChunkReader
from flask_app.upstream.client import ChatStream, Endpoint
from tests.upstream.test_plain_chunks import INSIDE, PLAIN

NEXT = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}'
SEVERAL_LINES = b'data: {"choices":\ndata: [{"index":0,"delta":{"content":"%b"}}]}'
WORDLESS = b'data: {"choices":[]}'
BROKEN_LINE = SEVERAL_LINES.replace(b"\ndata: ", b"\n")  # what follows is no data
FIELDS = (
    *(b"data: " + each for each in PLAIN),
    *[NEXT] * 6,
    SEVERAL_LINES,
    BROKEN_LINE,
    WORDLESS,
    b": ping",
    b"event: error\n" + NEXT,
)
ENDS = (*[b"\n\n"] * 6, b"\r\n\r\n", b"\n", b"\r\r", b"\n\n\n", b"\n\ndata: [DONE]\n\n")
EVENTS = st.tuples(st.sampled_from(FIELDS), st.lists(st.sampled_from(INSIDE), max_size=2), st.sampled_from(ENDS))
UNNAMED = EVENTS.filter(lambda each: not each[0].startswith(b"event"))
MARK = b"\xef\xbb\xbf"


def made(said: list[tuple[bytes, list[bytes], bytes]]) -> list[bytes]:
    return [form.replace(b"%b", b"".join(words)) + end for form, words, end in said]


def cut(events: list[bytes], cuts: list[int]) -> list[bytes]:
    """Each event comes in one piece, but where the stream is cut beside that."""
    stream, edges = b"".join(events), {0}
    for event in events:
        edges.add(max(edges) + len(event))
    edges.update(each % (len(stream) + 1) for each in cuts)
    return [stream[start:end] for start, end in pairwise(sorted(edges))]


def heard(pieces: list[bytes]) -> tuple[list[Event], bool]:
    """The events that a stream gives, and whether it was given up."""
    stream, events = ChatStream(Endpoint("http://nobody.invalid", ""), {}, "r"), list[Event]()

    def give(read: Callable[[bytes], bool]) -> None:
        for piece in (*pieces, b""):
            if not read(piece):
                return

    stream._read_each = give
    try:
        stream.deliver(events.extend)
    except UpstreamError:
        return events, True
    return events, False


def decoded(pieces: list[bytes]) -> tuple[list[Event], bool]:
    """The same by the long way, every event of it."""
    decoder, reader, events = Decoder(), ChunkReader(), list[Event]()
    for piece in (*pieces, b""):
        events += reader._read_in_full(decoder.feed(piece) if piece else decoder.close())
        if reader.fault or reader.finished:
            break
    return events, reader.fault is not None


@given(
    st.lists(EVENTS.filter(lambda each: not each[0].startswith(b"event")), max_size=8), st.lists(st.integers(0, 999))
)
@example([(form, [b"a"], b"\n\n") for form in (NEXT, SEVERAL_LINES, WORDLESS, BROKEN_LINE)], [])
@example([(NEXT, [b"a"], b"\n\n")] * 2 + [(NEXT, [b"b"], b"\r")] + [(NEXT, [b"c"], b"\n\n")] * 2, [])
def test_what_is_heard_of_a_stream_is_no_other_than_by_the_long_way(
    said: list[tuple[bytes, list[bytes], bytes]], cuts: list[int]
) -> None:
    pieces = cut(made(said), cuts)
    assert heard(pieces) == decoded(pieces)
    assert heard([MARK, *pieces]) == decoded(pieces)


def test_a_word_behind_a_half_event_is_a_part_of_it() -> None:
    whole = made([(NEXT, [b"a"], b"\n\n")])[0]
    assert heard([whole, whole, b": pi", whole]) == ([Token("a")] * 2, False), "a comment of two pieces"
    assert heard([whole, whole, b"data: {", whole]) == ([Token("a")] * 2, True)


def test_events_that_are_alike_go_past_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[bytes] = []
    feed = Decoder.feed

    def noted(decoder: Decoder, chunk: bytes) -> list[bytes]:
        fed.append(chunk)
        return feed(decoder, chunk)

    monkeypatch.setattr(Decoder, "feed", noted)
    pieces = made([(NEXT, [b"%d" % number], b"\n\n") for number in range(10)])
    events, _ = heard(pieces)
    assert events == [Token(str(number)) for number in range(10)]
    assert fed == pieces[:2], "the first tells the choice, the second the form"


def test_one_whose_error_has_a_name_ends_the_stream_behind_words_of_the_same_form() -> None:
    word, error = made([(NEXT, [b"a"], b"\n\n"), (b"event: error\n" + NEXT, [b"b"], b"\n\n")])
    events, is_given_up = heard([word, word, error])
    assert events[:3] == [Token("a"), Token("a"), Token("b")]
    assert [type(each).__name__ for each in events[3:]] == ["Failed"]
    assert not is_given_up, "whoever hears that decides"
