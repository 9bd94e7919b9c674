"""Answers to programs, at their end."""

from flask import Flask

from flask_app.services.completion.attempts import Outcome
from flask_app.services.gateway.program_answers import ProgramRun, StreamedAnswer
from flask_app.services.gateway.request_log import Ended


def test_one_whose_run_is_not_known_here_any_more_ends_as_it_went(app: Flask) -> None:
    told: list[Ended] = []
    answer = StreamedAnswer(ProgramRun(run_id="gone", model="deepseek-flash", locale="en"), tells_usage=False)
    answer.when_ended(told.append)
    answer.end(Outcome(status="stopped"), None, discarded=False)
    (ended,) = told
    assert (ended.status, ended.attempts) == ("stopped", 0)
    assert answer.failure == "token_required"
    answer.end(Outcome(), None, discarded=False)
    assert told == [ended], "once"
