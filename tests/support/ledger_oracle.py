"""What must be true of the ledger once everything has ended, whatever happened before."""

from collections.abc import Collection

from sqlalchemy import func, select

from flask_app.database import reading, utc_now
from flask_app.domain.events import Usage, estimate_tokens
from flask_app.models import Attempt, Message, Run, TokenUsage, User
from flask_app.services.usage import stats_service
from tests.support.scripted_upstream import CHAT
from tests.support.upstream_journal import Journal, Received


def check(journal: Journal, disturbed: Collection[str]) -> None:
    """Each request in the provider's journal is one attempt, told by the id that it came with, and the other way round.

    `disturbed`: the runs that another than their worker may have ended.
    """
    with reading() as session:
        attempts = {attempt.id: attempt for attempt in session.scalars(select(Attempt))}
        entries = {entry.attempt_id: entry for entry in session.scalars(select(TokenUsage))}
        assert session.scalars(select(Run.id).where(Run.status == "running")).all() == []
        assert session.scalars(select(Message.id).where(Message.status == "running")).all() == []
        assert session.scalar(select(func.count()).select_from(TokenUsage)) == len(entries)
    assert {attempt.state for attempt in attempts.values()} <= {"settled", "released"}
    assert entries.keys() == {attempt.id for attempt in attempts.values() if attempt.state == "settled"}

    assert all(request.wants_usage for request in journal.chats if request.path == CHAT), "each asks for its count"
    asked = [*journal.chats, *journal.searches, *journal.fetches]
    requests = {request.headers["x-request-id"]: request for request in asked}
    assert len(requests) == len(asked), "an attempt is one request"
    heard = {id_ for id_, attempt in attempts.items() if attempt.state == "settled" or _was_refused(attempt)}
    assert requests.keys() == heard, "no request without an attempt, none that ended as heard without a request"
    for attempt_id, request in requests.items():
        _compare(request, entries.get(attempt_id), was_disturbed=attempts[attempt_id].run_id in disturbed)
    _check_sums(list(entries.values()))


def _compare(request: Received, entry: TokenUsage | None, *, was_disturbed: bool) -> None:
    """What was told is what is booked; where nothing was, an estimate of no more than was sent, or it was refused."""
    if entry is None:
        assert not request.usage_sent, "what was told is booked, whatever its attempt says"
        return
    if entry.source == "reported":
        assert _told(request) == _counts(entry)
        return
    assert was_disturbed or not request.usage_sent
    sent = (request.text_sent, request.reasoning_sent, request.calls_sent)
    assert entry.completion_tokens <= sum(map(estimate_tokens, sent))


def _check_sums(entries: list[TokenUsage]) -> None:
    """Own page, administrators' page and ledger say the same."""
    now = utc_now()
    with reading() as session:
        people = session.scalars(select(User)).all()
    own = [stats_service.own_summary(person, now).total for person in people]
    site = stats_service.site_summary(people[0], now).total
    tokens = sum(entry.prompt_tokens + entry.completion_tokens for entry in entries)
    assert sum(part.total_tokens for part in own) == site.total_tokens == tokens
    micros = sum(entry.cost_micros or 0 for entry in entries)
    assert sum(sum(part.costs.values()) for part in own) == sum(site.costs.values()) == micros


def _was_refused(attempt: Attempt) -> bool:
    code = attempt.error_code or ""
    return code.startswith(("upstream_", "embeddings_")) or code in {"no_provider_search", "link_not_found"}


def _told(request: Received) -> Usage | None:
    used = request.usage_sent
    return Usage(used.prompt, used.cached, used.completion, used.reasoning) if used else None


def _counts(entry: TokenUsage) -> Usage:
    return Usage(entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
