"""How often one person may ask for an answer (CHAT_RATE_LIMIT)."""

from flask import Flask, current_app

from flask_app import config
from flask_app.errors import ConfigError, TooMany
from flask_app.services import run_service
from flask_app.services.windows import Rate, Windows

_CHAT = "chat_limit"


def init_app(app: Flask) -> None:
    try:
        rate = Rate.parse(config.current().chat_rate_limit)
    except ValueError as error:
        raise ConfigError(f"CHAT_RATE_LIMIT cannot be read: {error}") from error
    app.extensions[_CHAT] = Windows("chat", rate)


def chat_limit(user_id: str, idempotency_key: str | None = None) -> None:
    """Count one more message of this person; raises TooMany("chat_rate_limited") when there were too many lately.

    What was begun under its key before asks for nothing new, and is let through.
    """
    windows: Windows = current_app.extensions[_CHAT]
    if (seconds := windows.hit(user_id)) and not run_service.is_begun(user_id, idempotency_key):
        raise TooMany("chat_rate_limited", retry_after=seconds, seconds=seconds)
