"""Packed frames behave as a list of them would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.streams import frames as frames_module
from flask_app.streams.frames import Frames


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 25), st.integers(0, 25))
def test_they_are_a_list(frames: list[bytes], start: int, end: int) -> None:
    packed = Frames()
    packed.extend(frames)
    assert len(packed) == len(frames)
    assert packed.since(start) == frames[start:]
    start, end = min(start, len(frames)), min(end, len(frames))
    assert packed.joined(start, end) == b"".join(frames[start:end])


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=40), st.integers(0, 30))
def test_a_piece_is_as_many_as_fit_and_one_at_least(frames: list[bytes], most: int) -> None:
    packed = Frames()
    packed.extend(frames)
    start = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames_module, "MOST_IN_A_PIECE", most)
        while start < len(frames):
            piece, end = packed.piece(start)
            assert piece == b"".join(frames[start:end])
            assert len(piece) <= most or end == start + 1
            assert end == len(frames) or len(piece + frames[end]) > most
            start = end
