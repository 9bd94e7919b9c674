"""The log: one line a record on stderr, without secrets, as text or as JSON (LOG_FORMAT).

In every line, ours and other libraries', secrets are blotted out and control characters escaped, so that nothing a
stranger sends can forge a record or drive a terminal.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy.engine import make_url
from structlog.contextvars import merge_contextvars

from flask_app import error_reports
from flask_app.config import Config

BLOT = "[redacted]"
SHORTEST_SECRET = 6  # a shorter one would blot out ordinary words

_KNOWN_SHAPES = (
    (re.compile(r"\bsk-[A-Za-z0-9_-]{6,}"), BLOT),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!\[)[^\s\"',;]+"), rf"\1 {BLOT}"),
    (re.compile(r"(?i)\b((?:__Host-)?mingchat(?:-[a-z-]+)?)=[^;\s\"']+"), rf"\1={BLOT}"),
    (re.compile(r"\$argon2id?\$[A-Za-z0-9$=,+/]+"), BLOT),
    (re.compile(r"(?i)(://[^/\s:@]*:)[^/\s@]+(?=@)"), rf"\1{BLOT}"),
)
# Control characters, line separators, halves of characters, and what is invisible or turns the reading direction.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_NEEDS_QUOTES = re.compile(r"[\s=\"]|^$")

_PLAIN = (bool, int, float, type(None))  # what JSON has a form of its own for, and no secret is

_secrets: tuple[str, ...] = ()
_as_json = False


def set_up(config: Config) -> None:
    """Send every record to stderr by way of `one_line`. Calling it again replaces what was set up before."""
    global _secrets, _as_json
    _as_json = config.log_format == "json"
    _secrets = tuple(sorted(_secrets_of(config), key=len, reverse=True))
    structlog.configure(
        processors=[merge_contextvars, structlog.processors.add_log_level, error_reports.note, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Stderr(),
    )
    _take_over(logging.getLogger())
    _take_over(logging.getLogger("gunicorn.error"))


def redact(text: str) -> str:
    """The text without the configured secrets and whatever looks like a key, a bearer value or a session."""
    for secret in _secrets:
        text = text.replace(secret, BLOT)
    for shape, instead in _KNOWN_SHAPES:
        text = shape.sub(instead, text)
    return text


def one_line(text: str) -> str:
    return _CONTROL.sub(_escaped, redact(text))


def render(_logger: Any, _method: str, record: MutableMapping[str, Any]) -> str:
    """A record of ours."""
    level, event = record.pop("level", "info"), str(record.pop("event", ""))
    return _line(level, event, record, _traceback(record.pop("exc_info", None)))


class OneLine(logging.Formatter):
    """The same for records of the standard library's loggers."""

    def format(self, record: logging.LogRecord) -> str:
        level, trace = record.levelname.lower(), _traceback(record.exc_info)
        if _as_json:
            return _json(level, record.getMessage(), {"logger": record.name}, trace)
        return _text(level, f"{record.name} {record.getMessage()}", {}, trace)


def _line(level: str, event: str, fields: Mapping[str, Any], trace: str) -> str:
    return (_json if _as_json else _text)(level, event, fields, trace)


def _text(level: str, event: str, fields: Mapping[str, Any], trace: str) -> str:
    """`time level event name=value …`, the traceback last."""
    named = [f"{name}={_quoted(value)}" for name, value in fields.items()]
    return one_line(" ".join([_now(), level, event, *named, *([trace] if trace else [])]))


def _json(level: str, event: str, fields: Mapping[str, Any], trace: str) -> str:
    """An object with `time`, `level`, `event`, the fields, and `traceback` where there is one."""
    record = {"time": _now(), "level": level, "event": event, **fields}
    if trace:
        record["traceback"] = trace
    plain = {name: value if isinstance(value, _PLAIN) else redact(str(value)) for name, value in record.items()}
    return _CONTROL.sub(_escaped_in_json, json.dumps(plain, ensure_ascii=False))


class _Stderr:
    """Looks for stderr at each line: whoever exchanges it gets what follows."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


class _StderrHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _Stderr().msg(self.format(record))


def _take_over(logger: logging.Logger) -> None:
    """Let the logger's handlers write our lines; the root logger gets one of ours."""
    if logger is logging.getLogger() and not any(isinstance(handler, _StderrHandler) for handler in logger.handlers):
        logger.addHandler(_StderrHandler())
    for handler in logger.handlers:
        if isinstance(handler, _StderrHandler) or logger.name == "gunicorn.error":
            handler.setFormatter(OneLine())


def _secrets_of(config: Config) -> set[str]:
    database_password = str(make_url(config.database_url).password or "")
    redis_password = unquote(urlsplit(config.redis_url or "").password or "")
    mail_password = (config.mail.password if config.mail else None) or ""
    given = (config.deepseek_api_key or "", config.metrics_token or "", config.sentry_dsn or "", mail_password)
    keys = (config.secret_key, config.encryption_key, config.old_encryption_key or "", config.backup_passphrase or "")
    return {secret for secret in (*keys, *given, database_password, redis_password) if len(secret) >= SHORTEST_SECRET}


def _traceback(exc_info: Any) -> str:
    if exc_info is True:
        exc_info = sys.exc_info()
    elif isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    if not exc_info or exc_info[0] is None:
        return ""
    return "".join(traceback.format_exception(*exc_info)).rstrip()


def _quoted(value: object) -> str:
    text = str(value)
    if not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(found: "re.Match[str]") -> str:
    short: Mapping[str, str] = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return short.get(found[0], f"\\u{ord(found[0]):04x}")


def _escaped_in_json(found: "re.Match[str]") -> str:
    return f"\\u{ord(found[0]):04x}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
