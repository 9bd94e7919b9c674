"""What must hold for every stream, however it is cut."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.fuzz import reference
from bench.fuzz.reference import NamedData, Undecided, Unreadable
from bench.fuzz.streams import Case
from flask_app.domain.events import Event, Reasoning, Served, Token, ToolCall
from flask_app.domain.sse import Decoder
from flask_app.upstream.chunks import ChunkReader

DONE = b"[DONE]"


class Broken(Exception):
    """A promise that was not kept."""


class WatchedDecoder(Decoder):
    """Tells how much it holds."""

    @property
    def held(self) -> int:
        return len(self._pending)


@dataclass
class Heard:
    """What came of a stream. `told` are its events with all text put together, as far as it could be read."""

    events: list[NamedData] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    too_large: bool = False
    told: tuple[str, str, list[Event]] = ("", "", [])
    end: str = ""  # "finished", "unreadable" or none of both


def check(case: Case) -> None:
    """Raises Broken, or whatever the decoder or the reader raises."""
    whole = heard([case.stream], case.limit)
    expected = reference.decoded(case.stream, case.limit)
    _same("the reference's events", expected.events, whole.events)
    _same("the reference's limit", expected.too_large, whole.too_large)
    _check_chunks(whole)
    for chunks in case.chunks():
        _same("the events of the whole stream", whole, heard(chunks, case.limit))


def heard(chunks: list[bytes], limit: int) -> Heard:
    """Decode as a provider's stream is decoded: until its end, a fault, or `[DONE]`."""
    decoder, reader = WatchedDecoder(limit), ChunkReader()
    events: list[Event] = []
    result = Heard()
    for payloads in _batches(decoder, chunks, limit):
        result.payloads += payloads
        if not (reader.finished or reader.fault):
            events += reader.read(payloads)
    result.events = [(getattr(payload, "event", b""), bytes(payload)) for payload in result.payloads]
    result.too_large = decoder.fault is not None
    result.told = _together(events)
    result.end = "finished" if reader.finished else "unreadable" if reader.fault else ""
    return result


def _batches(decoder: WatchedDecoder, chunks: list[bytes], limit: int) -> list[list[bytes]]:
    batches = []
    for chunk in chunks:
        batches.append(decoder.feed(chunk))
        if decoder.held > limit + 1:
            raise Broken(f"{decoder.held} bytes are held of an event that may have {limit}")
    batches.append(decoder.close())
    return batches


def _check_chunks(whole: Heard) -> None:
    """Compare the reader's events with the reference's, as far as that can say."""
    events: list[Event] = []
    end, model = "", None
    for payload in whole.payloads:
        try:
            told, end = _expected(payload)
        except Undecided:
            return
        for event in told:
            if isinstance(event, Served):
                if event.model == model:
                    continue
                model = event.model
            events.append(event)
        if end:
            break
    _same("the reference's answer", _together(events), whole.told)
    _same("the reference's end", end, whole.end)


def _expected(payload: bytes) -> tuple[Sequence[Event], str]:
    """Its events, and how the stream ends with it, if it does. Raises Undecided."""
    if payload == DONE:
        return [], "finished"
    try:
        return (reference.chunk_of(payload) if payload else []), ""  # an empty event says nothing
    except Unreadable as error:
        return error.events, "unreadable"


def _together(events: list[Event]) -> tuple[str, str, list[Event]]:
    """Pieces of text may be put together one way or another; the rest keeps its order.

    Of calls what they say counts: ids that are not told are made up.
    """
    text = "".join([event.text for event in events if isinstance(event, Token)])
    reasoning = "".join([event.text for event in events if isinstance(event, Reasoning)])
    beside = [event for event in events if not isinstance(event, Token | Reasoning)]
    said: list[Event] = [
        ToolCall(0, arguments=event.arguments) if isinstance(event, ToolCall) else event for event in beside
    ]
    return text, reasoning, said


def _same(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Broken(f"not {what}\n  expected: {expected!r}\n  found:    {found!r}")
