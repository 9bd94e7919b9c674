"""The index itself: documents get their numbers and words, and lose them. Whoever writes has taken the turn first."""

import itertools
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, delete, func, insert, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from flask_app import offload
from flask_app.database import table_of
from flask_app.models import SearchDocument, SearchPosting, SearchProgress
from flask_app.statements import Prepared

TITLES, MESSAGES = 0, 1
BLOCK = 64 * 64  # documents; two digits tell one from another
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"  # in the order of their bytes
MIDDLE = 100_000 * BLOCK  # what is new goes up from here, what was there before the index down: the newest are highest
AT_ONCE = 500

documents, postings = table_of(SearchDocument), table_of(SearchPosting)

Block = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of the document of a title or a message: the words by which it was found (`had`), and is to be.

    One without a number is new, and gets one; `is_old`, in front of all others instead of behind them. One that does
    not stay is removed with its last word.
    """

    user_id: str
    shelf: int
    number: int | None
    conversation_id: str | None
    message_id: str | None
    version: str
    had: frozenset[str]
    words: frozenset[str]
    is_old: bool = False
    stays: bool = True
    packed: bytes = b""  # the words, as the document keeps them

    @property
    def work(self) -> int:
        """How many words are to be written."""
        return len(self.had ^ self.words)

    def part(self, most: int) -> "Change":
        """A piece of it. Without its conversation the document is not shown, and is looked at again."""
        lost = sorted(self.had - self.words)[:most]
        gained = sorted(self.words - self.had)[: most - len(lost)]
        return replace(self, conversation_id=None, words=self.had.difference(lost).union(gained), stays=True)


def _statements(*, added: bool) -> dict[str, Any]:
    on_sqlite, on_mysql = sqlite.insert(postings), mysql.insert(postings)
    longer = cast(postings.c.numbers, Text) + on_sqlite.excluded.numbers if added else on_sqlite.excluded.numbers
    new = on_mysql.inserted.numbers
    on_sqlite = on_sqlite.on_conflict_do_update(index_elements=list(postings.primary_key), set_={"numbers": longer})
    on_mysql = on_mysql.on_duplicate_key_update(numbers=func.concat(postings.c.numbers, new) if added else new)
    return {"sqlite": on_sqlite, "mysql": on_mysql, "mariadb": on_mysql}


_ADD, _SET = Prepared(_statements(added=True)), Prepared(_statements(added=False))
_TAKEN = select(func.min(documents.c.number), func.max(documents.c.number)).where(
    documents.c.user_id == bindparam("person"), documents.c.shelf == bindparam("on_shelf")
)
_IS_THIS = (
    documents.c.user_id == bindparam("person"),
    documents.c.shelf == bindparam("on_shelf"),
    documents.c.number == bindparam("numbered"),
)
_CHANGE = (
    update(documents)
    .where(*_IS_THIS)
    .values({name: bindparam(f"new_{name}") for name in ("conversation_id", "version", "words")})
)
_REMOVE = delete(documents).where(*_IS_THIS)
_LOOK_AGAIN = update(documents).where(documents.c.message_id == bindparam("message")).values(conversation_id=None)
TAKE_TURN = update(table_of(SearchProgress)).values(turn=SearchProgress.turn + 1)


def take_turn(connection: Connection) -> None:
    """Until this transaction ends nobody else writes to the index. Taken first, nobody waits for each other."""
    connection.execute(TAKE_TURN)


def look_again(connection: Connection, message_id: str) -> None:
    """Have a message found by other words than it had when it was added."""
    take_turn(connection)  # whoever is about to write what the message had before must not
    connection.execute(_LOOK_AGAIN, {"message": message_id})


def ready(changes: list[Change], most: int) -> tuple[list[Change], bool]:
    """To be written: as many as have so many words together, a part where the first one has more. And is that all?"""
    if changes and changes[0].work > most:
        some, is_all = [changes[0].part(most)], False
    else:
        sums = itertools.accumulate(change.work for change in changes)
        some = [change for change, words in zip(changes, sums, strict=True) if words <= most]
        is_all = len(some) == len(changes)
    return [replace(change, packed=_packed(change.words)) for change in some], is_all


def write(connection: Connection, changes: Sequence[Change]) -> None:
    """Have documents found by the words that they are to be found by, and no others; `changes` are ready."""
    numbered = _numbered(connection, changes)
    lost: dict[Block, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    gained: dict[Block, dict[str, str]] = defaultdict(lambda: defaultdict(str))
    for change, number in numbered:
        block, digits = (change.user_id, change.shelf, number // BLOCK), digits_of(number)
        for word in change.had - change.words:
            lost[block][word].add(digits)
        for word in change.words - change.had:
            gained[block][word] += digits
    for block, words in lost.items():
        for some in _parts(sorted(words)):
            _take_out(connection, block, {word: words[word] for word in some})
    for block, noted in gained.items():
        _write(connection, _ADD, block, noted)
    _note(connection, numbered)


def ends(connection: Connection, user_id: str, shelf: int) -> tuple[int, int] | None:
    """The first and the last number of a person's documents; None where there are none."""
    first, last = connection.execute(_TAKEN, {"person": user_id, "on_shelf": shelf}).one()
    return None if last is None else (first, last)


def _packed(words: frozenset[str]) -> bytes:
    return zlib.compress("\n".join(sorted(words)).encode())


def unpacked(words: bytes | None) -> frozenset[str]:
    return frozenset(zlib.decompress(words).decode().split()) if words else frozenset()


def digits_of(number: int) -> str:
    """Where a document is in its block."""
    place = number % BLOCK
    return DIGITS[place // 64] + DIGITS[place % 64]


def number_of(block: int, mark: int) -> int:
    digits = mark.to_bytes(2, sys.byteorder).decode()
    return block * BLOCK + DIGITS.index(digits[0]) * 64 + DIGITS.index(digits[1])


def marks(numbers: str) -> memoryview:
    """The documents of a posting, each as one integer of its two digits, which is quicker to compare than letters."""
    return memoryview(numbers.encode()).cast("H")


def pairs(numbers: str) -> list[str]:
    return [numbers[at : at + 2] for at in range(0, len(numbers), 2)]


def conditions_of(block: Block) -> tuple[ColumnElement[bool], ...]:
    user_id, shelf, number = block
    return (postings.c.user_id == user_id, postings.c.shelf == shelf, postings.c.block == number)


def _numbered(connection: Connection, changes: Sequence[Change]) -> list[tuple[Change, int]]:
    taken: dict[tuple[str, int], tuple[int, int]] = {}
    numbered = []
    for change in changes:
        number = change.number
        if number is None:
            shelf = (change.user_id, change.shelf)
            first, last = taken.get(shelf) or ends(connection, *shelf) or (MIDDLE, MIDDLE - 1)
            number = first - 1 if change.is_old else last + 1
            taken[shelf] = min(first, number), max(last, number)
        numbered.append((change, number))
    return numbered


def _note(connection: Connection, changes: list[tuple[Change, int]]) -> None:
    """The documents, last of all: who settles an answer waits for the COMMIT of rows that refer to its conversation."""
    new, known, ended = [], [], []
    for change, number in changes:
        key = {"person": change.user_id, "on_shelf": change.shelf, "numbered": number}
        noted = {
            "conversation_id": change.conversation_id,
            "version": change.version,
            "words": change.packed,
        }
        if not change.stays:
            ended.append(key)
        elif change.number is None:
            place = {"user_id": change.user_id, "shelf": change.shelf, "number": number}
            new.append(place | {"message_id": change.message_id} | noted)
        else:
            known.append(key | {f"new_{name}": value for name, value in noted.items()})
    for statement, rows in ((insert(documents), new), (_CHANGE, known), (_REMOVE, ended)):
        if rows:
            connection.execute(statement, rows)


def _take_out(connection: Connection, block: Block, lost: dict[str, set[str]]) -> None:
    here = (*conditions_of(block), postings.c.word.in_(list(lost)))
    found = connection.execute(select(postings.c.word, postings.c.numbers).where(*here)).all()
    left = {row.word: "".join(each for each in pairs(row.numbers) if each not in lost[row.word]) for row in found}
    if bare := [word for word, numbers in left.items() if not numbers]:
        connection.execute(delete(postings).where(*conditions_of(block), postings.c.word.in_(bare)))
    _write(connection, _SET, block, {word: numbers for word, numbers in left.items() if numbers})


def _write(connection: Connection, statement: Prepared, block: Block, numbers: dict[str, str]) -> None:
    """In the order of the key, as whoever comes next locks them."""
    user_id, shelf, number = block
    here = {"user_id": user_id, "shelf": shelf, "block": number}
    for some in _parts(sorted(numbers)):
        statement.run_each(connection, [here | {"word": word, "numbers": numbers[word]} for word in some])
        offload.give_way()  # nobody's stream waits for all of them


def _parts(words: Sequence[str]) -> Iterable[Sequence[str]]:
    return (words[at : at + AT_ONCE] for at in range(0, len(words), AT_ONCE))
