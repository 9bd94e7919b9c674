"""Making the calls of a round, one after the other: what waits for the person's word, and what comes of each."""

import time
from collections.abc import Callable
from dataclasses import replace

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import fetching, in_writing
from flask_app.domain import tools
from flask_app.domain.tools import DONE, FAILED, REFUSED, RUNNING, STOPPED, WAITING, Call, fitting
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools import tool_calls
from flask_app.services.tools.heard_calls import Wanted
from flask_app.services.tools.toolbox import Asked, Result, Tool

LOOK_SECONDS = 0.3  # how often a call that waits is looked at

_NOT_ALLOWED = "The person did not allow this call."
_NOT_IN_TIME = "Nobody allowed this call in time, so it was not made."
_FAULT = Result("The call failed: a fault of this site.", is_error=True, error_code="internal")

log = structlog.get_logger()


class Calling:
    """The calls of one answer. `tell` hears each time that one stands differently."""

    def __init__(self, asked: Asked, stop: StopSignal, tell: Callable[[Call], object]) -> None:
        self._asked, self._stop, self._tell = asked, stop, tell
        self._allowed: set[str | None] = set()  # servers whose calls were allowed for this answer

    def make(self, wanted: Wanted) -> Wanted:
        """The same with what came of it. One that a stop ended stays open."""
        call, tool = wanted.kept.call, wanted.tool
        if tool is None or wanted.arguments is None or self._stop.status:
            return wanted
        if call.status == WAITING:
            call = self._decided(call, tool)
            self._tell(call)
        if call.status == RUNNING:
            call = self._made(call, tool, wanted)
            if call.status != RUNNING:
                self._tell(call)
        return replace(wanted, kept=replace(wanted.kept, call=call))

    def _decided(self, call: Call, tool: Tool) -> Call:
        """Running or refused; waiting still where a stop ended that."""
        until = time.monotonic() + tools.CONFIRM_SECONDS
        while not self._stop.status:
            try:
                status, is_in_time = self._looked(call, tool, until)
            except SQLAlchemyError as error:  # the next look may be luckier
                log.warning("call_not_looked_at", run=self._asked.run_id, reason=str(error.__cause__ or error))
            else:
                if status == REFUSED:
                    return _refused(call, is_in_time=is_in_time)
                if status != WAITING:  # allowed, or ended by whoever took this worker for dead
                    return msgspec.structs.replace(call, status=status)
            time.sleep(LOOK_SECONDS)
        return call

    def _looked(self, call: Call, tool: Tool, until: float) -> tuple[str, bool]:
        """How it stands, and whether somebody said so in time."""
        with fetching() as connection:
            standing = tool_calls.standing(connection, call.id)
        if standing and standing.status != WAITING:  # one that went with its conversation is stopped soon
            if standing.allows_all:
                self._allowed.add(tool.server_id)
            return standing.status, True
        is_allowed, is_late = tool.server_id in self._allowed, time.monotonic() > until
        if is_allowed or is_late:
            status = RUNNING if is_allowed else REFUSED
            decided = in_writing(lambda connection: tool_calls.decide(connection, call.id, status))
            return status if decided else WAITING, not is_late
        return WAITING, True

    def _made(self, call: Call, tool: Tool, wanted: Wanted) -> Call:
        began = time.monotonic()
        try:
            result = tool.call(replace(self._asked, arguments=wanted.arguments or {}), self._stop)
        except Exception:  # a fault of ours: the answer goes on without
            log.exception("tool_failed", run=self._asked.run_id, tool=tool.name)
            result = _FAULT
        finally:
            self._stop.watch_tool(None)
        took = int((time.monotonic() - began) * 1000)
        if self._stop.status:
            return msgspec.structs.replace(call, duration_ms=took)
        return msgspec.structs.replace(
            call,
            status=FAILED if result.is_error else DONE,
            error_code=(result.error_code or "tool_failed")[:64] if result.is_error else None,
            result=fitting(result.text),
            duration_ms=took,
        )


def ended(wanted: Wanted, *, status: str | None, error_code: str | None) -> Wanted:
    """One that is open still, as its run ends: by a stop, or because nobody goes on with it."""
    call = wanted.kept.call
    if call.status not in tools.OPEN:
        return wanted
    is_stopped = status in {"stopped", "left"}
    told = (STOPPED, None) if is_stopped else (FAILED, error_code or "interrupted")
    call = msgspec.structs.replace(call, status=told[0], error_code=told[1])
    return replace(wanted, kept=replace(wanted.kept, call=call))


def _refused(call: Call, *, is_in_time: bool) -> Call:
    words, code = (_NOT_ALLOWED, None) if is_in_time else (_NOT_IN_TIME, "tool_not_confirmed")
    return msgspec.structs.replace(call, status=REFUSED, error_code=code, result=words)
