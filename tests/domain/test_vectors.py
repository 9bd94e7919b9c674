"""Vectors as they are kept, a byte for each number, and the order that they make."""

import base64
import itertools
import json
import math
import random
import struct

import pytest

from flask_app.domain import vectors


def packed(numbers: list[float]) -> bytes:
    return vectors.packed(json.dumps(numbers).encode())


def drawn(chance: random.Random, length: int = 256) -> list[float]:
    return [chance.gauss(0, 1) for _ in range(length)]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


def test_the_order_is_that_of_the_angles() -> None:
    chance = random.Random(1)
    question, some = drawn(chance), [drawn(chance) for _ in range(50)]
    near = sorted(range(50), key=lambda at: -cosine(some[at], question))
    found = vectors.ranked([packed(each) for each in some], packed(question))
    assert found[:2] == near[:2]
    assert {*found[:10]} == {*near[:10]}
    angles = [cosine(some[at], question) for at in found]
    assert all(later - earlier < 0.01 for earlier, later in itertools.pairwise(angles)), "a byte is nearly as exact"


def test_a_length_says_nothing_and_of_the_same_the_first_comes_first() -> None:
    some = [[1.0, 0.0], [0.001, 0.001], [500.0, 500.0], [0.0, -1.0]]
    assert vectors.ranked([packed(each) for each in some], packed([3.0, 2.9])) == [1, 2, 0, 3]


def test_without_the_library_of_newer_pythons_it_is_the_same() -> None:
    assert vectors._slowly(b"\x01\xff", [2.0, -3.0]) == math.sumprod(b"\x01\xff", [2.0, -3.0])  # type: ignore[attr-defined]


def test_base64_is_the_same_as_numbers() -> None:
    numbers = [0.5, -0.25, 1.0]
    told = base64.b64encode(struct.pack("<3f", *numbers)).decode()
    assert vectors.packed(json.dumps(told).encode()) == packed(numbers)
    assert len(packed(numbers)) == 4 + 3


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"[0, 0]", b'["x"]', b"{}", b"null", b'"!"', b'"AAA="', b'""', b"[1e400]", b"[1" + b", 1" * 8192 + b"]"],
)
def test_what_is_no_vector_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        vectors.packed(raw)


def test_vectors_of_two_lengths_are_not_compared() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        vectors.ranked([packed([1.0, 1.0]), packed([1.0])], packed([1.0, 1.0]))


def test_they_are_joined_and_parted() -> None:
    some = [packed([1.0, 0.5]), packed([0.5, 1.0])]
    assert vectors.parted(vectors.joined(some), 2) == some
    assert vectors.parted(b"12345", 2) == vectors.parted(b"", 0) == []


def test_of_a_long_question_its_first_and_last_words_count() -> None:
    assert vectors.words_of(" When? \n") == "When?"
    told = vectors.words_of("a" * 3_000 + "b" * 3_000)
    assert (told[:1_000], told[-1_000:], len(told)) == ("a" * 1_000, "b" * 1_000, 2_002)
