"""Requests that change something come from our own pages: Origin, Sec-Fetch-Site and a token in a header."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request

from flask_app.errors import Forbidden
from flask_app.services.secrets.signing import same, sign
from flask_app.web import programs

HEADER = "X-CSRF-Token"
View = TypeVar("View", bound=Callable[..., Any])

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    app.before_request(check)
    app.context_processor(lambda: {"csrf_token": token()})


def needs_no_token(view: View) -> View:
    """Mark a view that begins a session, so that there is no token yet: its Origin is checked all the same."""
    view.needs_no_csrf_token = True  # type: ignore[attr-defined]
    return view


def check() -> None:
    """Raise Forbidden for a change that another site asked for. Programs bring no cookie that could be abused."""
    if request.method in _SAFE or programs.is_program():
        return
    if not _from_here():
        raise Forbidden("foreign_origin")
    if "session_token" in g and not _view_needs_no_token() and not same(request.headers.get(HEADER, ""), token()):
        raise Forbidden("csrf_failed")


def token() -> str:
    """The token of this request's session; empty without one."""
    return token_for(g.session_token) if "session_token" in g else ""


def token_for(session_token: str) -> str:
    return sign("csrf", session_token).hex()


def _from_here() -> bool:
    """Absent headers are let pass: no browser of today leaves both out, and a script has no cookies to abuse."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in _own_origins():
        return False
    return request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}


def _own_origins() -> set[str]:
    """Over TLS a page of plain http is another's. Without it TLS may end at a proxy that nobody told us of."""
    host = request.host.lower()
    return {f"https://{host}"} if request.is_secure else {f"https://{host}", f"http://{host}"}


def _view_needs_no_token() -> bool:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "needs_no_csrf_token", False)
