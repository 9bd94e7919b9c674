"""What a provider counts beyond what was reserved is booked, and said in the log."""

from dataclasses import replace

import pytest
from sqlalchemy.engine import Connection

from flask_app.database import in_writing
from flask_app.domain.events import Reasoning, Token, Usage, estimate_tokens
from flask_app.models import User
from flask_app.services.completion.attempts import Bounds, Outcome
from flask_app.services.ledger import metering_service, rollup_differences, spending_check
from tests.support import calls


# Reserved: 1,000 + 100 tokens, the prompt as if nothing of it was cached, at 2 yuan per million at most, or 8.
@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (Usage(1000, 0, 100, 0), False),
        (Usage(900, 0, 200, 0), True),  # no more tokens, and dearer ones
        (Usage(1101, 1101, 0, 0), True),  # a token more, and cheaper
        (Usage(5000, 0, 5000, 0), True),
    ],
)
def test_more_tokens_or_more_money_than_was_reserved_is_said(
    member: User, capsys: pytest.CaptureFixture[str], counted: Usage, said: bool
) -> None:
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=1000, answer=100))
    assert (sent.hold.tokens, sent.hold.currency) == (1100, "CNY")
    entry = in_writing(lambda connection: metering_service.settle(connection, sent, Outcome(usage=counted)))
    assert entry is not None
    assert entry.usage == counted
    told = capsys.readouterr().err
    assert ("reservation_exceeded" in told) is said
    assert (sent.attempt_id in told) is said


def test_money_that_was_not_reserved_is_said(member: User, capsys: pytest.CaptureFixture[str]) -> None:
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=1000, answer=100))
    sent = replace(sent, hold=replace(sent.hold, micros=None, currency=None))
    calls.settle(sent, 10, 20)
    assert "reservation_exceeded" in capsys.readouterr().err


def test_how_an_attempt_stands_is_asked_of_the_database(member: User) -> None:
    """After a lost reply to a COMMIT: other attempts stand otherwise."""
    other, sent, ended = (calls.dispatch(calls.call_of(member.id), Bounds(prompt=10, answer=10)) for _ in range(3))
    in_writing(lambda connection: metering_service.release(connection, sent, error_code="refused", status_code=401))
    calls.settle(ended, 1, 1)

    def stands(connection: Connection) -> list[tuple[bool, ...]]:
        ways = (metering_service.is_dispatched, metering_service.is_released)
        return [tuple(way(connection, each) for way in ways) for each in (other, sent, ended)]

    assert in_writing(stands) == [(True, False), (False, True), (False, False)]


def test_without_its_words_an_answer_is_counted_as_before() -> None:
    outcome = Outcome()
    for event in (Reasoning("let me see"), Token("A few words"), Token(" and more")):
        outcome.hear(event)
    kept = outcome.wordless()
    assert (kept.text, kept.reasoning, kept.text_parts, kept.reasoning_parts, kept.call_parts) == ("", "", [], [], [])
    assert (kept.estimate, kept.thoughts) == (outcome.estimate, outcome.thoughts)
    assert (kept.began, kept.is_wordless) == (True, False)
    assert outcome.text == "A few words and more"


def test_every_database_has_statements_of_its_own() -> None:
    for statements in (spending_check._MEND, *rollup_differences._MEND.values()):
        assert statements.keys() == {"sqlite", "mysql", "mariadb"}
        assert statements["mysql"] is statements["mariadb"]


def test_a_count_from_before_thoughts_is_no_count_of_them() -> None:
    outcome = Outcome()
    for event in (Usage(30, 0, 0, 0), Reasoning("let me see")):
        outcome.hear(event)
    assert (outcome.usage, outcome.reasoning, outcome.counted) == (None, "let me see", None)
    assert outcome.estimate == estimate_tokens("let me see")
