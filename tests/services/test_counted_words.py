"""What is counted piece by piece is what the estimate of the whole says."""

from hypothesis import given
from hypothesis import strategies as st

from flask_app.services.completion.attempts import Outcome
from flask_app.services.runs.counted_words import Counted

PIECES = st.lists(st.text(), max_size=4)


@given(st.lists(st.tuples(PIECES, PIECES, PIECES), max_size=4), st.integers(0, 9))
def test_at_each_look_it_is_the_estimate(looks: list[tuple[list[str], ...]], kept: int) -> None:
    outcome, counted = Outcome(kept_tokens=kept), Counted()
    for text, thoughts, calls in looks:
        outcome.text_parts.extend(text)
        outcome.reasoning_parts.extend(thoughts)
        outcome.call_parts.extend(calls)
        assert counted.upto(outcome).tokens == outcome.estimate, "whoever looks first"
        counted = counted.upto(outcome)
        assert counted.tokens == outcome.estimate


def test_half_a_character_is_counted_as_in_the_whole() -> None:
    outcome = Outcome(text_parts=["a\ud83d"])
    counted = Counted().upto(outcome)
    outcome.text_parts.append("\ude00b")
    assert counted.upto(outcome).tokens == outcome.estimate


def test_another_outcome_is_counted_from_its_beginning() -> None:
    counted = Counted().upto(Outcome(text_parts=["so far and much further"]))
    other = Outcome(text_parts=["你好"])
    assert counted.upto(other).tokens == other.estimate == 2


def test_what_is_counted_already_is_not_read_again() -> None:
    outcome = Outcome(text_parts=["so far"])
    counted = Counted().upto(outcome)
    outcome.text_parts[0] = "read again this would be more"
    outcome.text_parts.append(" and on")
    assert counted.upto(outcome).tokens == Outcome(text_parts=["so far and on"]).estimate
