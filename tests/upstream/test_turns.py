"""Many answers are read in turns: each of them ten times a second, none twice in a turn, none that is over."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from flask_app.upstream import turns
from flask_app.upstream.turns import AT_ONCE, LATER_SLOTS, SLOTS, Turns


class Watched:
    """A socket on an event loop, or its timer, in the test's hands: `call` does what it is watched for."""

    def __init__(self) -> None:
        self.call: Callable[[], object] | None = None

    def start(self, call: Callable[[], object]) -> None:
        self.call = call

    def stop(self) -> None:
        self.call = None

    def happens(self) -> None:
        assert self.call is not None
        self.call()


class Answer:
    """`looks` counts how often it was looked at; it ends at the next look once it `has_ended`."""

    def __init__(self, made: Turns) -> None:
        self.socket, self.looks, self.has_ended = Watched(), 0, False
        self.fault: Exception | None = None
        self.heard: list[object] = []
        self.reading = made.reading(self.look, self.socket, self)

    def look(self) -> bool:
        self.looks += 1
        if self.fault:
            raise self.fault
        return not self.has_ended

    def switch(self, value: object) -> None:
        """As the thread does, on the loop: it reads no more."""
        self.heard.append(value)
        self.reading.__exit__(None, None, None)

    def throw(self, error: BaseException) -> None:
        self.switch(error)

    @property
    def is_watched(self) -> bool:
        return self.socket.call is not None


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MANY", 20)


@pytest.fixture
def timer() -> Watched:
    return Watched()


@pytest.fixture
def made(timer: Watched) -> Turns:
    return Turns(timer)


@pytest.fixture
def answers(made: Turns) -> Iterator[list[Answer]]:
    """One more than is read at once."""
    answers = [Answer(made) for _ in range(21)]
    with ExitStack() as all_of_them:
        for each in answers:
            all_of_them.enter_context(each.reading)
        yield answers


def have_begun(answers: list[Answer]) -> None:
    for each in answers:
        for _ in range(AT_ONCE):
            each.socket.happens()


def round_of(timer: Watched) -> None:
    for _ in range(SLOTS):
        if timer.call:  # it stops where nobody waits any more
            timer.happens()


def test_few_are_read_whenever_something_comes(made: Turns, timer: Watched) -> None:
    answers = [Answer(made) for _ in range(20)]
    with ExitStack() as all_of_them:
        for each in answers:
            all_of_them.enter_context(each.reading)
        for _ in range(50):
            for each in answers:
                each.socket.happens()
        assert {each.looks for each in answers} == {50}
    assert timer.call is None


def test_what_begins_is_read_at_once_and_waits_for_its_turns_then(answers: list[Answer], timer: Watched) -> None:
    have_begun(answers)
    assert all(each.is_watched for each in answers)
    assert timer.call is None
    for each in answers:
        each.socket.happens()
    assert not any(each.is_watched for each in answers)
    for number in range(1, 4):
        round_of(timer)
        assert {each.looks for each in answers} == {AT_ONCE + 1 + number}


def test_no_slot_has_many_more_than_another_even_if_all_have_come_in_the_same_moment(
    answers: list[Answer], timer: Watched
) -> None:
    have_begun(answers)
    for each in answers:
        each.socket.happens()
    seen = []
    for _ in range(SLOTS):
        before = sum(each.looks for each in answers)
        timer.happens()
        seen.append(sum(each.looks for each in answers) - before)
    assert sum(seen) == 21
    assert max(seen) - min(seen) <= 1


def test_of_still_more_each_has_its_turn_later_and_as_before_once_they_are_fewer(
    made: Turns, answers: list[Answer], timer: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_begun(answers)
    for each in answers:
        each.socket.happens()
    monkeypatch.setattr(turns, "MORE", 20)
    round_of(timer)  # in which it is noticed
    others = [Answer(made) for _ in range(50)]
    with ExitStack() as all_of_them:
        for each in others:
            all_of_them.enter_context(each.reading)
        have_begun(others)
        for each in others:
            each.socket.happens()
        before = {each: each.looks for each in (*answers, *others)}
        for _ in range(LATER_SLOTS):
            timer.happens()
        assert {each.looks - before[each] for each in before} == {1}
        monkeypatch.setattr(turns, "MORE", 200)
        for _ in range(LATER_SLOTS):
            timer.happens()
        for number in range(2, 5):
            round_of(timer)
            assert {each.looks - before[each] for each in before} == {number + 1}
        assert not any(each.is_watched for each in before)


def test_where_there_are_few_again_each_is_watched_from_its_next_turn_on(answers: list[Answer], timer: Watched) -> None:
    have_begun(answers)
    for each in answers:
        each.socket.happens()
    answers[0].has_ended = True
    answers[0].reading.__exit__(None, None, None)
    round_of(timer)
    assert all(each.is_watched for each in answers[1:])
    assert not answers[0].is_watched
    assert answers[0].looks == AT_ONCE + 1, "one that is over is looked at no more"
    assert timer.call is None
    answers[0].reading.__enter__()


def test_one_that_ends_at_its_turn_has_no_other(answers: list[Answer], timer: Watched) -> None:
    have_begun(answers)
    for each in answers:
        each.socket.happens()
        each.has_ended = True
    round_of(timer)
    assert {each.looks for each in answers} == {AT_ONCE + 2}
    assert timer.call is None
    assert not any(each.is_watched for each in answers)


def test_what_a_look_raises_is_told_and_costs_nobody_else_their_turn(answers: list[Answer], timer: Watched) -> None:
    have_begun(answers)
    for each in answers:
        each.socket.happens()
    answers[0].fault, answers[1].has_ended = LookupError(), True
    round_of(timer)
    assert answers[0].heard == [answers[0].fault]
    assert answers[1].heard == [None]
    assert {each.looks for each in answers} == {AT_ONCE + 2}
    assert all(each.is_watched for each in answers[2:]), "there are few again"


def test_one_of_few_hears_of_its_end_and_of_what_was_raised(made: Turns) -> None:
    for fault in (None, LookupError()):
        answer = Answer(made)
        with answer.reading:
            answer.fault, answer.has_ended = fault, True
            answer.socket.happens()
            assert answer.heard == [fault]
            made.count(+1)  # as it has left already
