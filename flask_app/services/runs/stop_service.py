"""Stopping runs, on whichever worker they are. The database decides; a nudge only makes the worker look at once.

The same look finds the answers whose reader has left, and tells of the readers here of other workers' answers.
"""

import threading
import time
from collections.abc import Callable, Set

import structlog
from sqlalchemy import ColumnElement, bindparam, exists, select, update
from sqlalchemy.exc import SQLAlchemyError

from flask_app.column_types import ByServer
from flask_app.database import fetching, in_writing, reading, table_of, utc_now
from flask_app.models import Group, Run, User
from flask_app.services.runs import departure, followers, run_service
from flask_app.services.runs.departure import CONTINUE, Policy
from flask_app.services.runs.run_service import WORKER, LiveRun
from flask_app.statements import Query
from flask_app.streams import broker

LOOK_SECONDS = 0.8  # how often a worker looks whether somebody stopped one of its runs, which takes a second at most
SETTLED_SECONDS = 2.0  # how long a run that is stopped may take to be booked
SETTLED_POLL_SECONDS = 0.02

_runs = table_of(Run)
# The runs of this worker for which nothing is to be done: all of them, nearly always.
_CALM = Query(
    select(Run.id)
    .join(User, User.id == Run.user_id)
    .join(Group, Group.id == User.group_id)
    .where(Run.status == "running", Run.worker == WORKER, Run.stop_requested.is_(None))
    .where(User.disabled.is_(False), Group.on_disconnect == CONTINUE)
)
_STANDING = (
    select(
        *(Run.id, Run.status, Run.stop_requested, Run.discarded, Run.followed_at, User.disabled),
        *(Group.on_disconnect, Group.on_disconnect_tokens),
    )
    .join(User, User.id == Run.user_id)
    .join(Group, Group.id == User.group_id)
    .where(Run.id.in_(bindparam("ids", expanding=True)))
)

log = structlog.get_logger()
_nudged = threading.Event()


def stop(user: User, run_id: str) -> str:
    """Ask the run to stop; gives "stopping", or the status of a run that has ended. Raises NotFound."""
    run = run_service.owned(user, run_id)
    if live := run_service.live_run(run_id):
        live.stop.stop("stopped")
        return "stopping"
    if run.status != "running":
        return run.status
    _ask(Run.id == run_id)
    return "stopping"


def stop_person(user_id: str) -> None:
    """Stop all runs of a person, without waiting."""
    told = _tell(lambda live: live.user_id == user_id)
    _ask(Run.user_id == user_id, told=told)


def stop_token(token_id: str) -> None:
    """Stop all that is being answered to a token, without waiting."""
    told = _tell(lambda live: live.token_id == token_id)
    _ask(Run.token_id == token_id, told=told)


def discard(conversation_id: str) -> None:
    """Stop what is being written in a conversation that is about to be deleted; wait a little until it is booked."""
    told = _tell(lambda live: live.begun.conversation_id == conversation_id, discarded=True)
    _ask(Run.conversation_id == conversation_id, told=told, discarded=True)
    deadline = time.monotonic() + SETTLED_SECONDS
    while _is_written(conversation_id) and time.monotonic() < deadline:
        time.sleep(SETTLED_POLL_SECONDS)


def look() -> None:
    """End those of this worker's runs that somebody stopped elsewhere, that are its own no longer, or nobody reads."""
    here = {live.begun.run_id: live for live in run_service.live_runs()}
    if not here:
        return
    with fetching() as connection:
        calm = {row.id for row in _CALM.rows(connection, {})}
        restless = {run_id: live for run_id, live in here.items() if run_id not in calm or departure.is_final(live)}
        if not restless:
            return
        standing = {run.id: run for run in connection.execute(_STANDING, {"ids": list(restless)})}
    for run_id, live in restless.items():
        run = standing.get(run_id)
        if (
            run is None and not live.begun.conversation_id
        ):  # another has ended it, and forgotten what nothing belongs to
            live.stop.stop("interrupted")
        elif run is None or run.stop_requested or run.disabled:  # None: it went with its conversation
            live.stop.stop("stopped", discarded=run is None or run.discarded)
        elif run.status != "running":
            live.stop.stop("interrupted")
        elif departure.ends(live, run.followed_at, Policy(run.on_disconnect, run.on_disconnect_tokens)):
            live.stop.stop("left")


def watch() -> None:
    """Begin to look, on a thread of its own: every second, and at once when another worker says so."""
    broker().attend(_nudged.set)
    threading.Thread(target=_watch, name="stops", daemon=True).start()


def _watch() -> None:
    while True:
        _nudged.wait(LOOK_SECONDS)
        _nudged.clear()
        try:
            look()
            followers.renew()
        except SQLAlchemyError as error:  # the next look may be luckier
            log.warning("look_failed", reason=str(error.__cause__ or error))
        except Exception:  # a fault of ours must not leave every later run without a way to stop it
            log.exception("look_failed")


def _tell(is_meant: Callable[[LiveRun], bool], *, discarded: bool = False) -> set[str]:
    """Stop those of the runs here; gives their ids."""
    meant = [live for live in run_service.live_runs() if is_meant(live)]
    for live in meant:
        live.stop.stop("stopped", discarded=discarded)
    return {live.begun.run_id for live in meant}


def _ask(*which: ColumnElement[bool], told: Set[str] = frozenset(), discarded: bool = False) -> None:
    """Note for the workers of these runs that they are to stop: this one too may not have begun all of its own."""
    untold = (*which, Run.status == "running", Run.id.not_in(told), Run.stop_requested.is_(None))
    with reading() as session:
        workers = set(session.scalars(select(Run.worker).where(*untold)))
    if not workers:
        return
    asking = update(_runs).where(*untold).values(stop_requested=utc_now(), discarded=discarded)
    in_writing(lambda connection: connection.execute(asking))
    for worker in workers:
        broker().nudge(worker)


def _is_written(conversation_id: str) -> bool:
    """Is an answer being written there, by a worker that lives?"""
    running = exists().where(
        Run.conversation_id == conversation_id, Run.status == "running", Run.lease_expires_at > ByServer(0)
    )
    with reading() as session:
        return bool(session.scalar(select(running)))
