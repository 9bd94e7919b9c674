"""Keys of a provider as requests meet them: taken, failing, benched."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from flask_app.database import in_writing, utc_now
from flask_app.errors import UpstreamError
from flask_app.models import ApiKey
from flask_app.services.completion import cooldown_service
from flask_app.services.completion.cooldown_service import Taken
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import Candidate
from flask_app.statements import run_together
from tests.support.keys import change_key, served


def candidates(provider_id: str) -> list[Candidate]:
    return sorted(key_service.candidates(served(provider_id)), key=lambda candidate: candidate.key.id or "")


def take(provider_id: str) -> Taken:
    return in_writing(lambda connection: cooldown_service.take(connection, candidates(provider_id)))


def take_spare(provider_id: str) -> Taken:
    return in_writing(lambda connection: cooldown_service.take_spare(connection, candidates(provider_id)))


def failing(code: str, **fields: Any) -> UpstreamError:
    return UpstreamError(code, retryable=code != "upstream_rejected", **fields)


def fail(taken: Taken, error: UpstreamError, asked: datetime | None = None) -> None:
    in_writing(lambda connection: cooldown_service.note_failure(connection, taken, error, asked or utc_now()))


def answered(taken: Taken, asked: datetime, broken: UpstreamError | None = None) -> None:
    """Its key gave an answer, perhaps one that broke off."""

    def work(connection: Connection) -> None:
        run_together(connection, *cooldown_service.note_used(connection, taken, asked, broken))

    in_writing(work)


def bench_seconds(key: ApiKey) -> float:
    assert key.benched_until
    return (key.benched_until - utc_now()).total_seconds()


def is_over(key_id: str) -> None:
    """As if the bench's time had passed."""
    change_key(key_id, benched_until=utc_now() - timedelta(seconds=1), probe_until=None)
