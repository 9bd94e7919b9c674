"""Packed frames behave as a list of them would."""

from hypothesis import given
from hypothesis import strategies as st

from flask_app.streams.frames import Frames


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 25), st.integers(0, 25))
def test_they_are_a_list(frames: list[bytes], start: int, end: int) -> None:
    packed = Frames()
    packed.extend(frames)
    assert len(packed) == len(frames)
    assert packed.since(start) == frames[start:]
    start, end = min(start, len(frames)), min(end, len(frames))
    assert packed.joined(start, end) == b"".join(frames[start:end])
