"""Is the process alive, and can it serve: for machines that watch."""

from flask import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from flask_app.database import reading
from flask_app.errors import Unavailable
from flask_app.streams import broker
from flask_app.utils import public
from flask_app.web.bodies import Reply, returns

blueprint = Blueprint("health", __name__)


class Health(Reply):
    status: str


class Readiness(Reply):
    """`status` is "ok", or "degraded" while something in `missing` does not answer."""

    status: str
    missing: list[str]


@blueprint.get("/healthz")
@public
@returns(Health)
def alive() -> Health:
    """The process answers."""
    return Health(status="ok")


@blueprint.get("/readyz")
@public
@returns(Readiness)
def ready() -> Readiness:
    """The database answers and its tables are there; 503 otherwise. Chat goes on without what is `missing`."""
    try:
        with reading() as session:
            session.execute(text("SELECT 1 FROM users LIMIT 1"))
    except DBAPIError as error:
        raise Unavailable("database_unavailable", retry_after=5) from error
    missing = broker().missing()
    return Readiness(status="degraded" if missing else "ok", missing=missing)
