"""Paths through a conversation."""

from dataclasses import dataclass

import pytest

from flask_app.domain.tree import path_to


@dataclass(frozen=True)
class Node:
    id: str
    parent_id: str | None


ROOT, ANSWER, RETRY, NEXT = Node("1", None), Node("2", "1"), Node("3", "1"), Node("4", "3")


def test_path_follows_one_branch() -> None:
    assert path_to("4", [NEXT, ROOT, ANSWER, RETRY]) == [ROOT, RETRY, NEXT]


def test_path_to_the_root_is_the_root() -> None:
    assert path_to("1", [ROOT, ANSWER]) == [ROOT]


def test_path_to_an_unknown_node_is_an_error() -> None:
    with pytest.raises(KeyError):
        path_to("9", [ROOT])
