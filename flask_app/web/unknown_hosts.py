"""A request for an address that is not in ALLOWED_HOSTS: a page that needs no other file, and one line in the log."""

import re
from typing import Any

import structlog
from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import SecurityError

from flask_app.errors import BadRequest
from flask_app.web.failures import present, wants_page

log = structlog.get_logger()

MOST_LOGGED = 32  # anyone can make names up: the log stays readable
_LONGEST = 253
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_NAME}(?:\.{_NAME})*)(?::[0-9]{{1,5}})?")
_logged: set[str] = set()


def init_app(app: Flask) -> None:
    _logged.clear()
    app.register_error_handler(SecurityError, refuse)


def refuse(_: SecurityError) -> Any:
    host = asked_for()
    _log_once(host or "(no host name)")
    if not wants_page():
        return present(BadRequest("unknown_host"))
    return Response(render_template("unknown_host.html", host=host), BadRequest.status)


def asked_for() -> str | None:
    """The name that could be added to ALLOWED_HOSTS; None where the header holds none, or one that is there."""
    found = _HOST.fullmatch(request.headers.get("Host", ""))
    if not found or len(found[1]) > _LONGEST or found[1] in current_app.config["TRUSTED_HOSTS"]:
        return None
    return found[1]


def _log_once(host: str) -> None:
    if host in _logged or len(_logged) >= MOST_LOGGED:
        return
    _logged.add(host)
    log.warning("unknown_host", host=host, hint="add it to ALLOWED_HOSTS if people are to reach the site by it")
