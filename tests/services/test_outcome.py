"""What an attempt takes in of what its provider says. How long is thought: `test_thinking_time.py`."""

import pytest

from flask_app.domain.events import (
    Event,
    Failed,
    Finished,
    OfChoice,
    Reasoning,
    Served,
    Token,
    ToolCall,
    Usage,
)
from flask_app.errors import UpstreamError
from flask_app.services.completion.attempts import MAX_REASON, Earlier, Outcome

FEW, MORE = Usage(10, 0, 5, 0), Usage(10, 0, 7, 0)


def test_a_failure_inside_a_stream_is_told_by_its_code_and_may_be_tried_again() -> None:
    with pytest.raises(UpstreamError) as failure:
        Outcome().hear(Failed("upstream_overloaded"))
    assert (failure.value.code, failure.value.retryable) == ("upstream_overloaded", True)


@pytest.mark.parametrize("counts", [(FEW, MORE), (MORE, FEW)])
def test_of_two_counts_the_higher_holds(counts: tuple[Usage, Usage]) -> None:
    outcome = Outcome()
    for count in counts:
        outcome.hear(OfChoice(1, count))
    assert outcome.usage == MORE


@pytest.mark.parametrize("words", [Token("x"), Reasoning("x"), ToolCall(0, name="look")])
def test_a_count_that_words_have_overtaken_does_not_hold(words: Event) -> None:
    outcome = Outcome(usage=FEW)
    outcome.hear(words)
    assert outcome.usage is None


def test_who_answers_and_why_it_ended_is_noted() -> None:
    outcome = Outcome()
    for event in (Served("a-model"), Finished("s" * (MAX_REASON + 1))):
        outcome.hear(event)
    assert (outcome.actual_model, outcome.finish_reason) == ("a-model", "s" * MAX_REASON)


def test_words_are_counted_without_being_kept() -> None:
    outcome = Outcome(text_parts=["a text"], reasoning_parts=["some thoughts"], call_parts=['{"a": 1}'])
    bare = outcome.wordless()
    assert bare.said == Outcome().said
    assert (bare.estimate, bare.thoughts) == (outcome.estimate, outcome.thoughts)
    assert 0 < bare.thoughts < bare.estimate
    assert outcome.text == "a text", "it is a copy"


def test_an_answer_that_is_told_all_at_once_had_begun() -> None:
    assert not Outcome().began
    assert Outcome(in_part=True).began
    assert Outcome(in_part=True).taken_up


@pytest.mark.parametrize(
    ("earlier", "whole"),
    [
        (Earlier("", "Look"), ("Sunny.", "")),  # of a run that broke off: the thoughts give way
        (Earlier("", "Look", is_told=True), ("Sunny.", "Look")),  # of an earlier round: they stay
        (Earlier("I look. ", "Look"), ("I look. Sunny.", "Look")),
    ],
)
def test_what_an_earlier_round_thought_stays(earlier: Earlier, whole: tuple[str, str]) -> None:
    outcome = Outcome(earlier=earlier)
    assert outcome.whole_reasoning == "Look", "nothing has come to take its place"
    outcome.hear(Token("Sunny."))
    assert (outcome.whole_text, outcome.whole_reasoning) == whole
