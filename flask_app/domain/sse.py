"""Server-sent events from a provider: bytes in, the `data` of whole events out.

Sans-IO and incremental: a chunk may end anywhere, in the middle of a CRLF or of a UTF-8 character.
Follows the event stream format of the HTML standard, except that `close` gives the event the stream
ended in, because providers end without a last blank line. Memory is bounded by `max_event_bytes`.
What is wrong with a stream takes nothing away from the events before it: it is told by `fault`, beside them.
"""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class StreamTooLarge(Exception):
    """One event of the stream is larger than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"an event of the stream is larger than {limit} bytes")
        self.limit = limit


class Named(bytes):
    """The data of an event that came with a name of its own (`event: error`): bytes and name."""

    event: bytes

    def __new__(cls, data: bytes, event: bytes) -> "Named":
        self = super().__new__(cls, data)
        self.event = event
        return self


class Decoder:
    """Decodes one stream; make a new one for the next. Once there is a `fault`, give the stream up.

    `has_named`: some event has had a name. `is_between`: what came last was one event, on one line and in one piece, so
    that what comes next may be as plain, and needs no decoder to be told apart.
    """

    __slots__ = ("_after_cr", "_begun", "_limit", "_pending", "fault", "has_named", "is_between")

    def __init__(self, max_event_bytes: int = 1 << 20) -> None:
        self._limit = max_event_bytes
        self._pending = bytearray()  # the event not yet ended, its line ends already plain \n
        self._begun = False
        self._after_cr = False
        self.fault: StreamTooLarge | None = None
        self.has_named = self.is_between = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of each event that ends in `chunk`, in order; `Named` where it has a name.

        An event over the limit, ended or not, is a fault; nothing after it is decoded.
        """
        self.is_between = False
        if self.fault:
            return []
        if not self._begun:
            chunk = self._past_byte_order_mark(chunk)
        if self._after_cr or chunk.find(b"\r") >= 0:  # `in` would first try it as a number, which costs more
            chunk = self._with_plain_line_ends(chunk)
        if self._pending:
            return self._continue(chunk)
        end = len(chunk) - 2
        if chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") and chunk.find(b"\n") == end <= self._limit:
            self.is_between = not self._after_cr
            return [chunk[6:end]]  # one event, of one line, in one piece: nearly all come so
        return self._cut(chunk)

    def close(self) -> list[bytes]:
        """The event that the stream ended in, if any; it may have been cut short."""
        last = self._event(bytes(self._pending))
        self._pending.clear()
        return [] if last is None else [last]

    def _past_byte_order_mark(self, chunk: bytes) -> bytes:
        head = bytes(self._pending) + chunk
        if BYTE_ORDER_MARK.startswith(head):  # too little to tell, or the mark and nothing else
            self._pending[:] = head if head != BYTE_ORDER_MARK else b""
            self._begun = head == BYTE_ORDER_MARK
            return b""
        self._pending.clear()
        self._begun = True
        return head.removeprefix(BYTE_ORDER_MARK)

    def _with_plain_line_ends(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")  # the second half of a CRLF
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _continue(self, chunk: bytes) -> list[bytes]:
        if self._ends_pending(chunk):
            chunk = bytes(self._pending) + chunk
            self._pending.clear()
            return self._cut(chunk)
        self._hold(chunk)
        return []

    def _ends_pending(self, chunk: bytes) -> bool:
        return b"\n\n" in chunk or (self._pending[-1] == ord("\n") and chunk.startswith(b"\n"))

    def _cut(self, text: bytes) -> list[bytes]:
        blocks = text.split(b"\n\n")
        rest = blocks.pop()
        if len(text) > self._limit:
            blocks = self._before_large(blocks)
        if rest and self.fault is None:
            self._hold(rest)
        events: list[bytes] = []
        for block in blocks:
            if block.startswith(b"data: ") and b"\n" not in block:  # nearly all are of this form
                events.append(block[6:])
            elif (event := self._event(block)) is not None:
                events.append(event)
        return events

    def _before_large(self, blocks: list[bytes]) -> list[bytes]:
        for place, block in enumerate(blocks):
            if len(block) > self._limit:
                self.fault = StreamTooLarge(self._limit)
                return blocks[:place]
        return blocks

    def _hold(self, part: bytes) -> None:
        line_end = (part or self._pending).endswith(b"\n")  # the event's last: not a part of it
        if len(self._pending) + len(part) - line_end > self._limit:
            self._pending.clear()
            self.fault = StreamTooLarge(self._limit)
            return
        self._pending += part

    def _event(self, block: bytes) -> bytes | None:
        """The data of the event these lines make, None where they are comments or other fields only."""
        data: list[bytes] = []
        name = b""
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif field == b"event":
                name = value.removeprefix(b" ")
        if not data:
            return None
        whole = b"\n".join(data)
        if name in (b"", b"message"):
            return whole
        self.has_named = True
        return Named(whole, name)
