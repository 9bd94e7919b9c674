"""What is read of a provider's claims."""

from typing import Any

import pytest

from flask_app.domain import claims

TOLD = {"groups": ["a", 5, "b"], "one": "c", "realm_access": {"roles": ["d"]}, "a.b": ["whole"], "a": {"b": ["path"]}}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("groups", ("a", "b")),
        ("one", ("c",)),
        ("realm_access.roles", ("d",)),
        ("realm_access", ()),
        ("a.b", ("whole",)),
        ("one.more", ()),
        ("nothing", ()),
        ("", ()),
    ],
)
def test_a_claim_is_found_by_its_name_or_path(path: str, words: tuple[str, ...]) -> None:
    assert claims.words(claims.found(TOLD, path)) == words


@pytest.mark.parametrize(("values", "group"), [(["b", "a"], "first"), (["b"], "second"), (["A"], None), ([], None)])
def test_the_first_row_that_matches_counts(values: list[str], group: str | None) -> None:
    assert claims.group_of(values, [("a", "first"), ("b", "second"), ("b", "third")]) == group


@pytest.mark.parametrize(("value", "text"), [(" x ", "x"), (5, ""), (None, ""), (["x"], "")])
def test_a_text_is_a_text(value: Any, text: str) -> None:
    assert claims.text({"name": value}, "name") == text


@pytest.mark.parametrize(
    ("slug", "fits"),
    [("school", True), ("a", True), ("a-b-2", True), ("-a", False), ("a-", False), ("A", False), ("", False)],
)
def test_short_names_stand_in_addresses(slug: str, fits: bool) -> None:
    assert bool(claims.SLUG.fullmatch(slug)) == fits
    assert not claims.SLUG.fullmatch("x" * 33)
