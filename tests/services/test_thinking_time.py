"""How long was thought: from the first thought to the first of what else is said, in all runs whose thoughts stand."""

import pytest

from flask_app.domain.events import Event, Reasoning, Served, Thought, Token, ToolCall
from flask_app.services.completion.attempts import Earlier, Outcome

END = None
THINKS, SAYS, CALLS = Reasoning("hm"), Token("well"), ToolCall(0, name="look")


def told(outcome: Outcome, *events: Event | None) -> list[Thought]:
    """What readers hear of the time, where each of the events comes 100 ms after the one before."""
    heard = []
    for number, event in enumerate(events, start=1):
        heard.append(outcome.time_thoughts(event, 100 * number))
        if event is not END:
            outcome.hear(event)
    return [thought for thought in heard if thought]


@pytest.mark.parametrize("first", [SAYS, CALLS])
def test_it_ends_with_the_first_of_the_answer_and_is_told_once(first: Event) -> None:
    outcome = Outcome()
    assert told(outcome, Served("m"), THINKS, THINKS, first, SAYS, THINKS, SAYS, END) == [Thought(200)]
    assert outcome.whole_thinking_ms == 200


def test_where_nothing_else_comes_it_ends_with_the_answer() -> None:
    outcome = Outcome(status="stopped")
    assert told(outcome, THINKS, THINKS) == []
    assert outcome.whole_thinking_ms == 100, "so far: what a worker that is killed leaves"
    assert told(outcome, END) == [Thought(0)]


def test_what_is_not_thought_about_has_none() -> None:
    outcome = Outcome()
    assert told(outcome, Served("m"), SAYS, THINKS, SAYS, END) == []
    assert outcome.whole_thinking_ms is None
    assert told(Outcome(status="failed"), END) == []


@pytest.mark.parametrize(
    ("earlier", "events", "whole"),
    [
        (Earlier("text", "hm", 5000), (SAYS, END), 5000),
        (Earlier("text", "hm", 5000), (THINKS, SAYS, END), 5100),
        (Earlier("text", "", None), (THINKS, SAYS, END), 100),
        (Earlier("text", "", None), (SAYS, END), None),
        (Earlier("text", "hm", None), (THINKS, SAYS, END), None),  # of before anybody noted it
        (Earlier("text", "hm", 5000), (SAYS, THINKS, END), None),
        (Earlier("", "gives way", 5000), (THINKS, SAYS, END), 100),
        (Earlier("", "gives way", 5000), (SAYS, END), None),
        (Earlier("", "stands", 5000), (END,), 5000),
    ],
)
def test_an_answer_that_was_gone_on_with_adds_up_the_times_of_the_thoughts_that_stand(
    earlier: Earlier, events: tuple[Event | None, ...], whole: int | None
) -> None:
    outcome = Outcome(earlier=earlier)
    heard = told(outcome, *events)
    assert outcome.whole_thinking_ms == whole
    assert all(thought == Thought(whole) for thought in heard)
