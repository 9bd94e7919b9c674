"""How a run's log lies in Redis: a stream for each run, with an entry for what came within a tenth of a second.

An entry holds events as readers get them (`f`) and the number of the first (`n`). Its id is that of its last event,
`<number>-0`, so Redis itself refuses a writer whom the log has overtaken. The last entry has the highest id of all and
the field `e`: after it nobody can add anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_app.redis_client import PREFIX

Command = tuple[str | bytes | int, ...]

KEPT_SECONDS = 60  # without a word from its worker, or after the end; then the stored message answers
LETTERS_KEPT = 100
READER, STOP = b"reader", b"stop"  # what a letter may be about
_SEALED = b"18446744073709551615-0"
_END = b"\n\n"

# Ends the log of a dead worker, wherever it stands; nothing where there is none, or it has ended.
_SEAL = """
local tip = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #tip == 0 or tip[1][1] == ARGV[1] then return 0 end
local number = string.format('%.0f', tonumber(string.match(tip[1][1], '^%d+')) + 1)
redis.call('XADD', KEYS[1], ARGV[1], 'n', number, 'f', 'id: ' .. number .. '\\n' .. ARGV[2], 'e', 1)
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""

# Puts an end without a word in the place of each log that is there, so that its writer cannot write it again.
_FORGET = """
for _, key in ipairs(KEYS) do
  if redis.call('DEL', key) == 1 then
    redis.call('XADD', key, ARGV[1], 'n', ARGV[2], 'f', '', 'e', 1)
    redis.call('EXPIRE', key, ARGV[3])
  end
end
"""
_BEYOND_ALL = 1 << 62  # no log is that long: to whoever follows one it is a gap


@dataclass(frozen=True, slots=True)
class Entry:
    """`first` is the number of the first of `frames`; after a `final` one nothing comes."""

    first: int
    frames: list[bytes]
    final: bool


def key_of(run_id: str) -> bytes:
    return f"{PREFIX}run:{run_id}".encode()


def letterbox_of(worker: str) -> bytes:
    """The stream in which other processes leave word for a worker."""
    return f"{PREFIX}worker:{worker}".encode()


def add(key: bytes, first: int, frames: Sequence[bytes]) -> Command:
    """Add events. A log that began is never begun anew by it: a nil reply says that it has vanished."""
    no_new = ("NOMKSTREAM",) if first > 1 else ()
    return ("XADD", key, *no_new, b"%d-0" % (first + len(frames) - 1), "n", first, "f", b"".join(frames))


def seal(key: bytes, last: int) -> Command:
    """Say that event `last` was the last."""
    no_new = ("NOMKSTREAM",) if last else ()
    return ("XADD", key, *no_new, _SEALED, "n", last + 1, "f", b"", "e", 1)


def seal_for(key: bytes, event: str, payload: bytes) -> Command:
    """The same for a worker that died, after one more event."""
    frame = b"event: %b\ndata: %b\n\n" % (event.encode(), payload)
    return ("EVAL", _SEAL, 1, key, _SEALED, frame, KEPT_SECONDS)


def forget(keys: Sequence[bytes]) -> Command:
    """Take the words of these logs away, for good: their readers are let go."""
    return ("EVAL", _FORGET, len(keys), *keys, _SEALED, _BEYOND_ALL, KEPT_SECONDS)


def keep(key: bytes) -> Command:
    """Put off the log's expiry; 0 replies that it has vanished."""
    return ("EXPIRE", key, KEPT_SECONDS)


def tip(key: bytes) -> Command:
    """Ask for the newest entry."""
    return ("XREVRANGE", key, "+", "-", "COUNT", 1)


def is_sealed(entry_id: bytes) -> bool:
    return entry_id == _SEALED


def number_of(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def letters(worker: str, about: bytes) -> list[Command]:
    """Leave word for a worker, for a while."""
    box = letterbox_of(worker)
    return [("XADD", box, "MAXLEN", "~", LETTERS_KEPT, "*", "about", about), keep(box)]


def parse(fields: Mapping[bytes, bytes]) -> Entry | None:
    """None for what is no entry of ours."""
    first, frames = fields.get(b"n", b""), fields.get(b"f")
    if not first.isdigit() or frames is None:
        return None
    return Entry(int(first), [frame + _END for frame in frames.split(_END)[:-1]], b"e" in fields)
