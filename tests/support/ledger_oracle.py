"""What must be true of the ledger once everything has ended, whatever happened before."""

import re
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import func, select

from flask_app.database import reading, utc_now
from flask_app.domain.events import Usage, estimate_tokens
from flask_app.models import Attempt, Message, Run, TokenUsage, User
from flask_app.services.usage import stats_service
from tests.support.upstream_journal import Journal, Received

_QUESTION = re.compile(r"question \d+\.")


def check(journal: Journal, asked: Iterable[tuple[str, str, bool]]) -> None:
    """`asked`: of each run its id, its question, and whether another than its worker may have ended it."""
    asked = list(asked)
    questions = {run_id: question for run_id, question, _ in asked}
    disturbed = {question for _, question, was in asked if was}
    with reading() as session:
        attempts = session.scalars(select(Attempt)).all()
        entries = {entry.attempt_id: entry for entry in session.scalars(select(TokenUsage))}
        assert session.scalars(select(Run.id).where(Run.status == "running")).all() == []
        assert session.scalars(select(Message.id).where(Message.status == "running")).all() == []
    assert {attempt.state for attempt in attempts} <= {"settled", "released"}
    assert entries.keys() == {attempt.id for attempt in attempts if attempt.state == "settled"}

    assert all(request.wants_usage for request in journal.chats), "each request asks for its count"
    requests = Counter(_question_of(request) for request in journal.chats)
    heard = [attempt for attempt in attempts if attempt.state == "settled" or _was_refused(attempt)]
    counted = Counter(questions.get(attempt.run_id or "", "?") for attempt in heard)
    assert counted == requests, f"attempts {counted}, requests {requests}"

    for question in requests:
        received = [request for request in journal.chats if _question_of(request) == question]
        booked = [entries[a.id] for a in attempts if a.id in entries and questions[a.run_id or ""] == question]
        told = Counter(_told(request) for request in received if request.usage_sent)
        reported = Counter(_counts(entry) for entry in booked if entry.source == "reported")
        assert reported <= told, question
        assert question in disturbed or reported == told, question
        untold = [request for request in received if not request.usage_sent or _told(request) not in reported]
        most = sum(estimate_tokens(request.text_sent + request.reasoning_sent) for request in untold)
        estimated = sum(entry.completion_tokens for entry in booked if entry.source == "estimated")
        assert estimated <= most, question
    _check_sums(list(entries.values()))


def _check_sums(entries: list[TokenUsage]) -> None:
    """Own page, administrators' page and ledger say the same."""
    now = utc_now()
    with reading() as session:
        people = session.scalars(select(User)).all()
        assert session.scalar(select(func.count()).select_from(TokenUsage)) == len(entries)
    own = [stats_service.own_summary(person, now).total for person in people]
    site = stats_service.site_summary(people[0], now).total
    tokens = sum(entry.prompt_tokens + entry.completion_tokens for entry in entries)
    assert sum(part.total_tokens for part in own) == site.total_tokens == tokens
    micros = sum(entry.cost_micros or 0 for entry in entries)
    assert sum(sum(part.costs.values()) for part in own) == sum(site.costs.values()) == micros


def _question_of(request: Received) -> str:
    said = " ".join(message["content"] for message in request.body["messages"] if message["role"] == "user")
    return str(_QUESTION.findall(said)[-1])


def _was_refused(attempt: Attempt) -> bool:
    return (attempt.error_code or "").startswith("upstream_")


def _told(request: Received) -> Usage:
    assert request.usage_sent
    used = request.usage_sent
    return Usage(used.prompt, used.cached, used.completion, used.reasoning)


def _counts(entry: TokenUsage) -> Usage:
    return Usage(entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
