"""Failures as pages or JSON, in the reader's language, with a request id to quote."""

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, redirect, render_template, request
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from flask_app import metrics
from flask_app.errors import AppError, BudgetExhausted, ComesTooSoon, OutsideHours, SignInRequired, Unavailable
from flask_app.i18n import catalogue, translate
from flask_app.services.gateway import gateway_errors
from flask_app.services.people import inviting_many
from flask_app.services.people.inviting_many import ListRefused
from flask_app.services.site.site_service import Site
from flask_app.services.warnings import wording
from flask_app.web import program_faults, programs, sessions, site
from flask_app.web.bodies import to_json
from flask_app.web.budgets import refusal_words
from flask_app.web.local_paths import sign_in_path

log = structlog.get_logger()

# Werkzeug's statuses that a person can meet, as codes of the catalogue.
_STATUS_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "too_many"}
# No answer, no connection, and none left of this process's own for so long that it is as good as none.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
_FULL_NUMBERS = {1021, 1041, 1114}  # ER_DISK_FULL, ER_OUT_OF_RESOURCES, ER_RECORD_FILE_FULL


def init_app(app: Flask) -> None:
    app.register_error_handler(AppError, present)
    app.register_error_handler(HTTPException, _http)
    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, _database)
    app.register_error_handler(Exception, _unexpected)


def present(error: AppError) -> Any:
    """The reply to a failure a person can be told about."""
    metrics.ERRORS.labels(error.code).inc()
    if wants_page() and isinstance(error, SignInRequired):
        return redirect(sign_in_path(request.full_path.rstrip("?")))
    if programs.is_program():
        return program_faults.reply(error, sentence(error))
    response = _page(error) if wants_page() else to_json(error_body(error), error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def error_body(error: AppError) -> dict[str, Any]:
    return {
        "error": {
            "code": error.code,
            "message": sentence(error),
            "request_id": g.get("request_id", ""),
            "params": error.params,
        }
    }


def sentence(error: AppError, locale: str | None = None) -> str:
    locale = locale or g.get("locale", "zh")
    words: dict[str, object] = {**error.params}
    if isinstance(error, BudgetExhausted):
        words = {**refusal_words(error, locale)}
    elif isinstance(error, OutsideHours):
        words = {"opening": _moment(error.params["opens_at"], locale)}
    elif isinstance(error, ComesTooSoon):
        words = {"again": _moment(error.params["again_at"], locale)}
    elif isinstance(error, ListRefused):
        words = {"lines": inviting_many.mistakes_in(locale, error)}
    if programs.is_program():
        return gateway_errors.words(error.code, locale, **words)
    return translate(locale, f"error.{error.code}", **words)


def _moment(moment: object, locale: str) -> str:
    own_zone = g.user.timezone if "user" in g else None
    return wording.moment(moment, own_zone, locale, for_program=programs.is_program())  # type: ignore[arg-type]


def wants_page() -> bool:
    """What the API describes is asked by scripts, wherever it lies (/logout does not lie under /api/)."""
    view = current_app.view_functions.get(request.endpoint or "")
    if f"{request.path}/".startswith(("/api/", "/v1/")) or hasattr(view, "reply_type"):
        return False
    accepted = request.accept_mimetypes
    return not accepted or accepted.accept_html


def _page(error: AppError) -> Response:
    """It needs no database: the site's name is that of the product where there is none."""
    try:
        if request.endpoint not in sessions.ANONYMOUS:
            site.brand()
    except DATABASE_AWAY:
        pass
    g.setdefault("brand", translate(g.locale, "base.brand"))
    g.setdefault("site", Site())
    g.announced, g.newcomer, g.people_waiting = [], None, 0
    page = render_template("error.html", error=error, message=sentence(error), request_id=g.get("request_id", ""))
    return Response(page, error.status)


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:  # a redirect that routing asks for
        return error.get_response()
    code = _STATUS_CODES.get(status, "bad_request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal")
    known = AppError(code if f"error.{code}" in catalogue("zh") else "internal")
    if status == HTTPStatus.NOT_FOUND and programs.is_beside():
        known = AppError("other_base_url", address=f"{request.host_url}v1", site=request.host_url.rstrip("/"))
    known.status = status
    return present(known)


def database_failure(error: SQLAlchemyError) -> Unavailable:
    """What a person is told where the database cannot; the log gets the reason."""
    code = "storage_full" if isinstance(error, OperationalError) and _is_full(error) else "database_unavailable"
    log.error(code, reason=str(getattr(error, "orig", error)))
    return Unavailable(code, retry_after=5)


def _database(error: SQLAlchemyError) -> Any:
    return present(database_failure(error))


def _is_full(error: OperationalError) -> bool:
    """SQLite says so in words, MySQL by number: a table, a log file or the disk has no room left."""
    number = next(iter(getattr(error.orig, "args", ())), None)
    return number in _FULL_NUMBERS or "disk is full" in str(error.orig)


def _unexpected(error: Exception) -> Any:
    log.error("unexpected_failure", kind=type(error).__name__, exc_info=error)
    return present(AppError())
