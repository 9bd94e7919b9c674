"""Estimates: about right, and never nothing for something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain.events import Usage, estimate_tokens


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("hello world", 4), ("你好", 2), ("你好，世界", 3)])
def test_estimate_follows_the_rule_of_thumb(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(st.text(min_size=1), st.text())
def test_estimate_is_positive_and_grows_with_the_text(text: str, more: str) -> None:
    assert 0 < estimate_tokens(text) <= estimate_tokens(text + more)


def test_a_count_that_shrinks_does_not_hold() -> None:
    first, final = Usage(9, 0, 5, 0), Usage(0, 0, 0, 0)
    assert final.later_than(first) == first
    assert first.later_than(final) == first
    assert first.later_than(None) == first


def test_total_counts_cached_and_reasoning_once() -> None:
    assert Usage(100, 60, 40, 30).total_tokens == 140
