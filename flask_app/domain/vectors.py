"""Vectors of passages: what an embedding model makes of words, kept as a byte for each number, and compared.

A byte each is less than a hundredth off, and the same on every machine: nothing but whole numbers are multiplied.
"""

import base64
import binascii
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from operator import mul

import msgspec

CUT = 1  # how `domain/passages` cuts a text: another one is another number
MOST_NUMBERS = 8_192  # of one vector
MOST_WORDS = 2_000  # characters of a question that are told to the model, half of them its first
_MOST = 127
_LENGTH = struct.Struct("<f")


def _slowly(ones: Iterable[float], others: Iterable[float]) -> float:
    return float(sum(map(mul, ones, others)))


_product: Callable[[Iterable[float], Iterable[float]], float] = getattr(math, "sumprod", _slowly)  # from 3.12 on
_decode = msgspec.json.Decoder(list[float] | str).decode


def packed(raw: bytes) -> bytes:
    """A vector as the JSON of a provider has it: its length, and its numbers as bytes around 128.

    Raises ValueError for one that is none.
    """
    try:
        told = _decode(raw)
        numbers = told if isinstance(told, list) else _of_base64(told)
    except (msgspec.DecodeError, binascii.Error, struct.error) as error:
        raise ValueError from error
    if len(numbers) > MOST_NUMBERS or not all(map(math.isfinite, numbers)) or not any(numbers):
        raise ValueError
    largest = max(map(abs, numbers))
    whole = [round(number / largest * _MOST) for number in numbers]
    return _LENGTH.pack(math.hypot(*whole)) + bytes(number + 128 for number in whole)


def ranked(vectors: Sequence[bytes], question: bytes) -> list[int]:
    """Their places, the nearest to the question first; of the same the first. Raises ValueError for other lengths."""
    if any(len(each) != len(question) for each in vectors):
        raise ValueError
    asked = [byte - 128.0 for byte in question[_LENGTH.size :]]
    away = 128 * sum(asked)
    near = [(_product(each[_LENGTH.size :], asked) - away) / _LENGTH.unpack_from(each)[0] for each in vectors]
    return sorted(range(len(vectors)), key=lambda at: (-near[at], at))


def words_of(question: str) -> str:
    """What of a question its vector is made of."""
    words = question.strip()
    if len(words) <= MOST_WORDS:
        return words
    return f"{words[: MOST_WORDS // 2]}\n\n{words[-MOST_WORDS // 2 :]}"


def joined(vectors: Sequence[bytes]) -> bytes:
    """Of one model, for one row."""
    return b"".join(vectors)


def parted(row: bytes, count: int) -> list[bytes]:
    """As they were joined; none where it is not so many."""
    if not count or len(row) % count:
        return []
    size = len(row) // count
    return [row[at : at + size] for at in range(0, len(row), size)]


def _of_base64(told: str) -> Sequence[float]:
    given = base64.b64decode(told, validate=True)
    return struct.unpack(f"<{len(given) // 4}f", given)
