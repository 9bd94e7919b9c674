"""Is the process alive, and can it serve: for machines that watch."""

from typing import Literal

from flask import Blueprint, Response
from msgspec import UNSET, UnsetType
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flask_app import config, metrics
from flask_app.database import reading
from flask_app.errors import Unavailable
from flask_app.streams import broker
from flask_app.utils import public
from flask_app.web.bodies import Reply, refuses, returns, to_json
from flask_app.web.failures import error_body

State = Literal["ok", "away"]

blueprint = Blueprint("health", __name__)


class Health(Reply):
    status: str


class Checks(Reply):
    """What was looked at; `redis` only where REDIS_URL is set."""

    database: State
    redis: State | UnsetType = UNSET


class Readiness(Reply):
    """`status` is "ok", or "degraded" while something in `missing` does not answer."""

    status: str
    missing: list[str]
    checks: Checks


@blueprint.get("/healthz")
@public
@returns(Health)
def alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@blueprint.get("/readyz")
@public
@returns(Readiness)
@refuses(503, "`database_unavailable`, with the same `checks` beside `error`")
def ready() -> Readiness | Response:
    """The database answers and its tables are there; 503 otherwise. Chat goes on without what is `missing`.

    `checks` names each thing that was looked at, in both replies.
    """
    missing = broker().missing()
    redis: State | UnsetType = ("away" if missing else "ok") if config.current().redis_url else UNSET
    try:
        with reading() as session:
            session.execute(text("SELECT 1 FROM users LIMIT 1"))
    except (DBAPIError, PoolTimeoutError):
        return _unready(Checks(database="away", redis=redis))
    return Readiness(status="degraded" if missing else "ok", missing=missing, checks=Checks(database="ok", redis=redis))


def _unready(checks: Checks) -> Response:
    """JSON always: only machines ask."""
    error = Unavailable("database_unavailable", retry_after=5)
    metrics.ERRORS.labels(error.code).inc()
    response = to_json(error_body(error) | {"checks": checks}, error.status)
    response.headers["Retry-After"] = str(error.retry_after)
    return response
