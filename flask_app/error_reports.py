"""Errors that are logged go to Sentry as well (SENTRY_DSN): what failed and where, and nobody's words.

Of an exception its type and the lines of code are sent; not what it says, no local variable, nothing of the request but
its id. Without the setting no library is loaded.
"""

import sys
from collections.abc import MutableMapping
from typing import Any

from flask_app.config import VERSION, Config
from flask_app.errors import ConfigError
from flask_app.settings_reader import missing_packages

_REPORTED = frozenset({"error", "critical", "exception"})
_NAMES = ("request", "run", "attempt")  # of a record's fields: ids

_sentry: Any = None


def set_up(config: Config) -> None:
    """Begin to report, on a thread of its own; raises ConfigError without the package, or for a DSN that is none."""
    global _sentry
    _sentry = None
    if config.sentry_dsn is None:
        return
    try:
        import sentry_sdk
        from sentry_sdk.utils import BadDsn
    except ImportError as error:
        raise missing_packages("SENTRY_DSN") from error
    try:
        _begin(sentry_sdk, config.sentry_dsn)
    except BadDsn as error:
        raise ConfigError("SENTRY_DSN cannot be read: it is written like https://key@sentry.example.org/1") from error
    _sentry = sentry_sdk


def _begin(sentry_sdk: Any, dsn: str) -> None:
    sentry_sdk.init(
        dsn=dsn,
        release=f"mingchat@{VERSION}",
        default_integrations=False,  # nothing is taken from requests, threads or other libraries' logs
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=_without_words,
    )


def note(_logger: Any, method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A step on a record's way to the log, which it passes unchanged."""
    if _sentry is None or method not in _REPORTED:
        return record
    with _sentry.new_scope() as scope:
        for name in _NAMES:
            if name in record:
                scope.set_tag(name, str(record[name]))
        _report(scope, str(record.get("event", "")), record.get("exc_info"))
    return record


def _report(scope: Any, event: str, exc_info: Any) -> None:
    scope.set_tag("event", event)
    scope.fingerprint = ["{{ default }}", event]
    error = sys.exception() if exc_info is True else exc_info
    if error:
        scope.capture_exception(error)
    else:
        scope.capture_message(event, level="error")


def _without_words(event: Any, _hint: Any) -> Any:
    """What an exception says may be a message's text."""
    for error in event.get("exception", {}).get("values", []):
        error["value"] = ""
    return event
