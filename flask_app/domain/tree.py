"""A conversation's messages as a tree: each knows its parent, a path leads from the root to a leaf."""

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Node(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def parent_id(self) -> str | None: ...


N = TypeVar("N", bound=Node)


def path_to(leaf_id: str, nodes: Sequence[N]) -> list[N]:
    """The nodes from the root to `leaf_id`, both included; raises KeyError when it is not among `nodes`."""
    by_id = {node.id: node for node in nodes}
    path = [by_id[leaf_id]]
    while (parent_id := path[-1].parent_id) in by_id:
        path.append(by_id[parent_id])
    return path[::-1]
