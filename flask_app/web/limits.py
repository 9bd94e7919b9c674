"""How often may be asked: by person where somebody is signed in, by address where nobody is."""

import math
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from flask_app import config
from flask_app.database import utc_now
from flask_app.domain.seen import Seen
from flask_app.errors import ConfigError, OutsideHours, TooMany
from flask_app.services.people import group_access
from flask_app.services.runs import run_service
from flask_app.services.sign_in import login_limits
from flask_app.services.site import rates
from flask_app.services.site.windows import Rate, Windows
from flask_app.services.tokens.token_service import Visit
from flask_app.web import programs
from flask_app.web.client import client_address
from flask_app.web.sessions import ANONYMOUS

View = TypeVar("View", bound=Callable[..., Any])
_WINDOWS, _TOKENS = "rate_windows", "tokens"
_MINUTE = 60
Counted = tuple[Rate, Seen]

_refused_enough: dict[str, float] = {}


def init_app(app: Flask) -> None:
    try:
        Rate.parse(config.current().chat_rate_limit)
    except ValueError as error:
        raise ConfigError(f"CHAT_RATE_LIMIT cannot be read: {error}") from error
    kinds = rates.usual() | {_TOKENS: Rate(1, _MINUTE)}  # each token has a rate of its own, or none
    app.extensions[_WINDOWS] = {kind: Windows(kind, rate) for kind, rate in kinds.items()}
    app.before_request(_count)
    app.after_request(_count_refused)


def asks_for_an_answer(view: View) -> View:
    """Say that the view counts a message itself, with `count_message`, once it knows which."""
    view.asks_for_an_answer = True  # type: ignore[attr-defined]
    return view


def count_message(user_id: str, idempotency_key: str | None = None) -> None:
    """Count one more message of this person; raises TooMany("chat_rate_limited") when there were too many lately.

    Raises OutsideHours where their group does not chat now. What was begun under its key before asks for nothing new,
    and is let through. `counted_message` tells how the rate stands then.
    """
    _require_open(user_id, idempotency_key)
    g.counted = _count_one("messages", user_id, *g.rates)
    seconds = g.counted[1].wait if g.counted else 0
    if seconds:
        if not run_service.is_begun(user_id, idempotency_key):
            raise TooMany("chat_rate_limited", retry_after=seconds, seconds=seconds)
        g.asked_again = True


def count_message_of(visited: Visit) -> None:
    """The same of a program: of its token, where that has a rate of its own, and of its person.

    Where the token's is full nothing is counted of its person, and the other way about. Raises
    TooMany("token_rate_limited") too. `counted_message` tells the tighter one.
    """
    if visited.requests_per_minute is None:
        count_message(visited.user.id)
        return
    windows, name = _windows(_TOKENS), visited.token_id
    rate = Rate(visited.requests_per_minute, _MINUTE)
    seen = windows.look(name, rate)
    if not seen.wait:
        count_message(visited.user.id)
        seen = windows.count(name, rate)
    own = (rate, seen)
    g.counted = min(own, g.get("counted") or own, key=_left)
    if seen.wait:
        seconds = max(seen.wait, _wait("messages", visited.user.id, *g.rates))
        raise TooMany("token_rate_limited", retry_after=seconds, seconds=seconds, limit=rate.amount)


def _require_open(user_id: str, idempotency_key: str | None) -> None:
    try:
        group_access.require_open(g.group_access, utc_now())
    except OutsideHours:
        if not run_service.is_begun(user_id, idempotency_key):
            raise


def _left(counted: Counted) -> tuple[int, int]:
    """How many more there may be, and of equals the one that empties last."""
    rate, seen = counted
    return rate.amount - seen.used, -seen.empties


def counted_message() -> Counted | None:
    """The rate that this request was counted against, and its window; None where it was not, or nothing limits it."""
    counted: Counted | None = g.get("counted")
    return counted


def count_request() -> None:
    """Count a request for an answer that is no new message; raises TooMany("request_rate_limited")."""
    _hit_or_refuse("requests", g.user.id, *g.rates)


def _count() -> None:
    """Count the request, unless it is for a static file, the server's health or an answer.

    Whoever asks for answers is refused where as many of theirs as there may be requests came to none.
    """
    if request.endpoint in ANONYMOUS:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if "user" not in g or programs.is_elsewhere():
        _hit_or_refuse("visits", login_limits.network(client_address()), rates.of_site())
    elif not hasattr(view, "asks_for_an_answer"):
        kind = "downloads" if hasattr(view, "content_types") else "requests"
        _hit_or_refuse(getattr(view, "counted_as", kind), g.user.id, *g.rates)
    else:
        _refuse_after(_rest(g.user.id))


def _rest(user_id: str) -> int:
    """Seconds until a person may be refused again. Kept by each process: no request asks Redis for it."""
    rest = _refused_enough.get(user_id, 0) - time.monotonic()
    if rest <= 0:
        _refused_enough.pop(user_id, None)
    return max(math.ceil(rest), 0)


def _count_refused(response: Response) -> Response:
    """What came to no new answer counts as any other request does: else a program could fill the log without end, and
    a browser have bodies read that nobody can.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if programs.is_replayed():
        _count_replayed()
    elif hasattr(view, "asks_for_an_answer") and _is_unanswered(response):
        counted = _count_one("requests", g.user.id, *g.rates)
        if counted and counted[1].wait:
            _refused_enough[g.user.id] = time.monotonic() + counted[1].wait
    return response


def _count_replayed() -> None:
    """It counts against no rate: only that as many have a row in the log as there may be other requests."""
    counted = _count_one("requests", f"{g.user.id} again", *g.rates)
    if counted and counted[1].wait:
        programs.leave_out()


def _is_unanswered(response: Response) -> bool:
    """Did a request of somebody's come to no new answer? What came too early is no part of it."""
    if "access" in g:
        return programs.is_unanswered()
    came_to_none = response.status_code >= HTTPStatus.BAD_REQUEST or "asked_again" in g
    return "user" in g and "came_early" not in g and came_to_none


def _hit_or_refuse(kind: str, name: str, *stored: str | None) -> None:
    counted = _count_one(kind, name, *stored)
    _refuse_after(counted[1].wait if counted else 0)


def _refuse_after(seconds: int) -> None:
    """A program's request that comes too early has no row in the log."""
    if seconds:
        g.came_early = True
        programs.leave_out()
        raise TooMany("request_rate_limited", retry_after=seconds, seconds=seconds)


def _count_one(kind: str, name: str, *stored: str | None) -> Counted | None:
    """Where there is room, else nothing is counted; None without limit."""
    rate = rates.rate(kind, *stored)
    return (rate, _windows(kind).count(name, rate)) if rate else None


def _wait(kind: str, name: str, *stored: str | None) -> int:
    """Seconds until there is room; nothing is counted."""
    rate = rates.rate(kind, *stored)
    return _windows(kind).look(name, rate).wait if rate else 0


def _windows(kind: str) -> Windows:
    of_kinds: dict[str, Windows] = current_app.extensions[_WINDOWS]
    return of_kinds[kind]
