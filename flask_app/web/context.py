"""What every request and template starts with: an id, a language, a theme, a nonce."""

import re
import secrets
from functools import partial

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from flask_app import config, i18n
from flask_app.database import new_id
from flask_app.services.site import site_service
from flask_app.web import browsers, cookies, programs, sessions, site, waiting

THEMES = ("light", "dark", "system")
_REQUEST_ID = re.compile(r"[0-9a-zA-Z-]{16,64}")


def init_app(app: Flask) -> None:
    app.before_request(begin)
    app.after_request(label)
    app.teardown_request(lambda _: clear_contextvars())
    app.jinja_env.globals.update(t=t, csp_nonce=csp_nonce)
    app.jinja_env.globals.update(
        brand=site.brand, accent_tokens=site.accent_tokens, site_logo=site.logo, announcements=site.announcements
    )
    app.jinja_env.globals.update(newcomer=browsers.newcomer, people_waiting=waiting.people)
    app.jinja_env.globals.update(english=partial(i18n.translate, "en"))
    app.context_processor(template_words)


def begin() -> None:
    g.request_id = _given_id() or new_id()
    bind_contextvars(request=g.request_id)  # the log names the request that a person quotes
    chosen = None if programs.is_program() else request.cookies.get("lang")
    g.asked_languages = asked = [each for each, quality in request.accept_languages if quality]  # zero: not this one
    g.locale = i18n.negotiate(chosen, asked)
    g.names_language = chosen is not None or any(language != "*" for language in asked)
    if chosen is None and _opens_a_page() and (greeting := site_service.site().locale):
        g.locale = g.greeting = greeting


def _opens_a_page() -> bool:
    """A browser's visit, and not what its pages ask for, nor what answers without the database."""
    is_visit = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    return is_visit and request.endpoint not in sessions.ANONYMOUS


def _given_id() -> str | None:
    """What the proxy in front calls this request, or lets its client call it: a mark in the log, and no more."""
    given = request.headers.get("X-Request-ID", "") if config.current().trusted_proxies else ""
    return given if _REQUEST_ID.fullmatch(given) else None


def label(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    if "greeting" in g and "lang" not in response.headers.get("Set-Cookie", ""):
        cookies.keep_choice(response, "lang", g.greeting)  # what its pages ask for is answered in the same language
    if programs.speaks_messages():
        response.headers["Request-ID"] = g.get("request_id", "")  # as Anthropic's clients look for it
    return response


def t(key: str, **params: object) -> str:
    """The sentence `key` in the reader's language."""
    return i18n.translate(g.locale, key, **params)


def csp_nonce() -> str:
    """This reply's nonce: inline elements that carry it may run, and no others."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def template_words() -> dict[str, object]:
    user = g.get("user")
    theme = user.theme if user else request.cookies.get("theme", "system")
    return {
        "user": user,
        "manages": g.get("manages", False),
        "locale": g.locale,
        "language": i18n.tag(g.locale),
        "languages": {locale: (i18n.tag(locale), name) for locale, name in i18n.NAMES.items()},
        "theme": theme if theme in THEMES else "system",
        "timezone": (user.timezone or config.current().site_timezone) if user else None,
    }
