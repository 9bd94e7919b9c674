"""Codes that people type."""

import string

import pytest

from flask_app.domain import typed_code


def test_a_code_has_eighty_random_bits_without_characters_that_look_alike() -> None:
    assert len(set(typed_code.ALPHABET)) == 32
    assert not set("ILOU") & set(typed_code.ALPHABET)
    codes = {typed_code.new() for _ in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {16}
    assert set("".join(codes)) == set(typed_code.ALPHABET)


def test_it_is_shown_in_groups_of_four_and_read_as_it_is_shown() -> None:
    assert typed_code.shown("0123456789ABCDEF") == "0123-4567-89AB-CDEF"
    for _ in range(100):
        code = typed_code.new()
        assert typed_code.read(typed_code.shown(code)) == code


@pytest.mark.parametrize(
    "typed",
    [
        "0123-4567-89ab-cdef",
        "0123456789ABCDEF",
        " 0123 4567 89AB CDEF \n",
        "o123-4567-89ab-cdef",
        "O i23-4567-89ab-cdef",
        "0l23–4567—89AB−CDEF",
        "０１２３－４５６７－８９ＡＢ－ＣＤＥＦ",
        "0123_4567.89AB CDEF",
        "0123　4567　89AB　CDEF",
        "０１２３ー４５６７ー８９ＡＢーＣＤＥＦ",
        "0123·4567・89AB･CDEF",
        "\ufeff0123\u200b-4567\u2060-89AB-CDEF\u200b",
    ],
)
def test_it_is_read_however_it_is_typed(typed: str) -> None:
    assert typed_code.read(typed) == "0123456789ABCDEF"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0123-4567-89AB-CDE",
        "0123-4567-89AB-CDEFG",
        "U123-4567-89AB-CDEF",
        "0123-4567-89AB-CDE中",
        "\0" * 16,
        "0" * 65,
    ]
    + [character * 16 for character in string.punctuation if character not in "-_."],
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert typed_code.read(typed) is None


def test_bytes_make_the_code_of_their_first_eighty_bits() -> None:
    assert typed_code.of(bytes(10)) == "0" * 16
    assert typed_code.of(b"\xff" * 10) == "Z" * 16
    assert typed_code.of(bytes.fromhex("00443214c74254b635cf") + b"beyond") == "0123456789ABCDEF"
    assert typed_code.read(typed_code.of(b"any bytes at all")) is not None
