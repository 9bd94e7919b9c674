"""Several statements in one round trip: a server gets them together, and answers one after the other.

The only file that knows PyMySQL from inside, which sends a statement only once the last has its reply. The protocol
itself has each command answered in turn, whenever the next one comes.

Some of them are a transaction's last, and write to rows that everybody writes to: the sums of a site. Those are held
until the COMMIT, and while they are, all others wait. So the process stays with such a round trip, in which nobody
else has a turn, and makes one of them after the other.
"""

import math
import struct
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pymysql.connections import MAX_PACKET_LEN  # type: ignore[import-untyped]
from pymysql.constants.COMMAND import COM_QUERY  # type: ignore[import-untyped]
from pymysql.err import InterfaceError, MySQLError  # type: ignore[import-untyped]

from flask_app.pools import Info

STAY_SECONDS = 0.004  # a server that is well needs one
TURN_SECONDS = 0.05  # for one that takes long nobody waits: to take turns spares waiting, and no more than that

_TRANSACTION = "transaction"

Stay = Callable[[int, float], object]
Rows = Sequence[Sequence[Any]]


class Reply(NamedTuple):
    """What a statement has found, and to how many rows it was done."""

    rows: Rows
    affected: int


_stay: Stay | None = None  # without a loop a thread waits by itself
_turn = threading.Lock()


class _Transaction:
    """It has its turn, if it has, and what it has looked for `ahead`.

    It is its own: once a connection is lost, its `info` may be the next one's at any moment.
    """

    since = math.inf  # when the turn was taken, if somebody has it

    def __init__(self) -> None:
        self.ahead: dict[Hashable, Rows] = {}
        self._has_turn = False

    def take_turn(self) -> None:
        if not self._has_turn:
            is_stuck = time.monotonic() - _Transaction.since > TURN_SECONDS  # who has it waits for somebody's lock
            self._has_turn = _turn.acquire(timeout=0 if is_stuck else TURN_SECONDS)
            if self._has_turn:
                _Transaction.since = time.monotonic()

    def end(self) -> None:
        if self._has_turn:
            _Transaction.since = math.inf
            _turn.release()


def stay_with(stay: Stay) -> None:
    """From now on wait with `stay` for a reply: by the socket's number, in seconds, before others have their turn."""
    global _stay
    _stay = stay


@contextmanager
def of_transaction(info: Info) -> Iterator[None]:
    """A transaction of the connection whose `info` that is: its last round trip has its turn until the block ends, and
    what was looked for ahead is found until then.
    """
    own = info[_TRANSACTION] = _Transaction()
    try:
        yield
    finally:
        if info.get(_TRANSACTION) is own:
            del info[_TRANSACTION]
        own.end()


def keep(info: Info, found: dict[Hashable, Rows]) -> None:
    """What was found ahead, each until it is asked for. Outside of such a transaction nothing is kept."""
    if own := info.get(_TRANSACTION):
        own.ahead.update(found)


def kept(info: Info, question: Hashable) -> Rows | None:
    """What was found ahead, once."""
    return own.ahead.pop(question, None) if (own := info.get(_TRANSACTION)) else None


def make(driver: Any, statements: Sequence[bytes], last: Info | None = None) -> list[Reply]:
    """Have them executed in their order; gives the reply to each.

    `last`: it is a transaction's last, and this its connection's `info`. Raises what the first that failed has met. The
    server executes those behind it all the same: the transaction is to be rolled back then.
    """
    if not driver.open:
        raise InterfaceError(0, "")
    driver._result = None  # noqa: SLF001
    packets = [_packets(each) for each in statements]
    if last is not None and (own := last.get(_TRANSACTION)):
        own.take_turn()
    driver._write_bytes(b"".join([each for some in packets for each in some]))  # noqa: SLF001
    if last is not None and _stay is not None:
        _stay(driver._sock.fileno(), STAY_SECONDS)  # noqa: SLF001
    return _read(driver, [len(each) for each in packets])


def _read(driver: Any, sent: Sequence[int]) -> list[Reply]:
    """The replies to statements of so many packets each."""
    replies: list[Reply] = []
    failure: MySQLError | None = None
    for packets in sent:
        driver._next_seq_id = packets % 256  # noqa: SLF001
        try:
            driver._read_query_result()  # noqa: SLF001
            replies.append(Reply(driver._result.rows or (), driver._result.affected_rows))  # noqa: SLF001
        except MySQLError as error:
            if not driver.open:
                raise
            failure = failure or error
    if failure:
        raise failure
    return replies


def _packets(statement: bytes) -> list[bytes]:
    """Each but the last is of 16 MB, as the protocol has them; the last may be empty."""
    command = struct.pack("<B", COM_QUERY) + statement
    parts = [command[start : start + MAX_PACKET_LEN] for start in range(0, len(command) + 1, MAX_PACKET_LEN)]
    return [struct.pack("<I", len(part) | number % 256 << 24) + part for number, part in enumerate(parts)]
