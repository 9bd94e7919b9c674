"""The settlement journal: answers that the database was not there to take, each in a file until it has them.

A file holds all that settling needs, so that a worker that is killed meanwhile loses neither words nor counts. It is
on disk (fsync) before it has its name, for its owner's eyes only, and removed once it is settled.
"""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from flask_app import config, durable, offload
from flask_app.domain.events import Usage
from flask_app.services.completion.attempts import UNASKED, Dispatched, Entry, Outcome

FOLDER, ASIDE = "journal", "aside"
HALF_WRITTEN_SECONDS = 60  # a file without its name that is older was left by a worker that died

log = structlog.get_logger()


class Settlement(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What settling an attempt takes, and the conversation that its run belongs to, if any."""

    version: Literal[1] = 1
    sent: Dispatched
    outcome: Outcome
    conversation_id: str | None

    @property
    def attempt_id(self) -> str:
        return self.sent.attempt_id


class Late(msgspec.Struct, kw_only=True):
    """An exact count that came when an estimate was booked already. It holds nobody's words."""

    version: Literal[1] = 1
    sent: Dispatched
    usage: Usage
    actual_model: str | None
    status: str


def unasked(sent: Dispatched) -> Settlement:
    """What ends an attempt that no provider was asked for, if it is there at all, and nothing else of its run."""
    alone = replace(sent, call=replace(sent.call, run_id=None))
    return Settlement(sent=alone, outcome=UNASKED, conversation_id=None)


def keep(settlement: Settlement) -> bool:
    """Write it to disk; False, and a line in the log, where the disk does not take it."""
    try:
        offload.run(durable.write, _path(settlement.attempt_id), msgspec.json.encode(settlement))
    except Exception:  # whatever the disk has: settling is tried again from memory all the same
        log.exception("not_journalled", attempt=settlement.attempt_id)
        return False
    return True


def waiting() -> set[str]:
    """The attempts of this machine whose settlement waits here."""
    return {path.stem for path in _folder().glob("*.json")}


def count_aside() -> int:
    """How much waits for a person to look at."""
    return sum(1 for _ in _aside().glob("*"))


def read(attempt_id: str) -> Settlement | None:
    """What waits for the attempt; None where another worker was quicker, or the file cannot be read.

    The latter is moved aside, for a person to look at.
    """
    path = _path(attempt_id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settlement)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        log.exception("journal_unreadable", attempt=attempt_id)
    path.replace(durable.made(_aside()) / path.with_suffix(".unreadable").name)
    return None


def remove(attempt_id: str) -> None:
    """The database has it. A file that stays is found settled at the next replay."""
    try:
        _path(attempt_id).unlink(missing_ok=True)
    except OSError as error:
        log.warning("journal_not_removed", attempt=attempt_id, reason=str(error))


def sweep() -> None:
    """Remove what was half written when its worker died."""
    limit = time.time() - HALF_WRITTEN_SECONDS
    for path in _folder().glob("*.tmp"):
        with suppress(FileNotFoundError):  # its worker gave it its name meanwhile
            if path.stat().st_mtime < limit:
                path.unlink()


def compare(sent: Dispatched, outcome: Outcome, booked: Entry | None) -> None:
    """Set an exact count aside, and say so loudly, when the ledger has only an estimate for the attempt.

    The ledger is append-only: what is booked stays booked, and a person decides about the difference.
    """
    usage = outcome.counted
    if usage is None or (booked is not None and booked.source == "reported"):
        return
    counts = {"exact": usage.total_tokens, "booked": booked and booked.usage.total_tokens}
    log.error("exact_count_came_late", attempt=sent.attempt_id, run=sent.call.run_id, **counts)
    late = Late(sent=sent, usage=usage, actual_model=outcome.actual_model, status=outcome.status)
    try:
        offload.run(durable.write, _aside() / f"{sent.attempt_id}.json", msgspec.json.encode(late))
    except OSError:
        log.exception("not_set_aside", attempt=sent.attempt_id)


def _folder() -> Path:
    return config.current().instance_dir / FOLDER


def _aside() -> Path:
    return _folder() / ASIDE


def _path(attempt_id: str) -> Path:
    return _folder() / f"{attempt_id}.json"
