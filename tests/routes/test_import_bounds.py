"""/api/conversations/import: how much may come, and what it may take."""

import time

import pytest

from flask_app.services.portability import message_tree
from tests.routes.test_conversation_imports import sent, talk
from tests.support.clients import PageClient

Pairs = list[tuple[str, str | None]]  # ids and whom they follow
HALF = message_tree.MOST_MESSAGES // 2
SHAPES: dict[str, Pairs] = {
    "many of one id that many follow": [*[("1", None)] * HALF, *((f"x{n}", "1") for n in range(HALF))],
    "a star": [("1", None), *((f"x{n}", "1") for n in range(2 * HALF - 1))],
    "a ring": [(f"x{n}", f"x{(n + 1) % (2 * HALF)}") for n in range(2 * HALF)],
}


@pytest.mark.security("imports-bounded")
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_takes_long(member_client: PageClient, shape: str) -> None:
    """With the square of its messages each of these would take minutes."""
    said = [talk()["messages"][0] | {"id": own, "parent_id": parent} for own, parent in SHAPES[shape]]
    began = time.monotonic()
    (outcome,) = sent(member_client, {"conversations": [talk(messages=said)]})
    assert outcome["outcome"] == ("imported" if shape == "a star" else "refused")
    assert time.monotonic() - began < 20
