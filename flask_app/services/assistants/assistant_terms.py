"""What an assistant's fields may be."""

from collections.abc import Callable
from typing import Any, TypedDict, cast

from sqlalchemy import ColumnElement, func

from flask_app.domain.blank import is_blank
from flask_app.domain.serving import Allowed, Thinking
from flask_app.errors import Invalid
from flask_app.models import Assistant, SharedAssistant
from flask_app.services.assistants import known_files
from flask_app.services.prompts.prompt_terms import on_a_line
from flask_app.services.providers import model_service

MOST = 100  # of one person, for everybody, or for one group
MAX_NAME = 60
MAX_ICON = 16  # characters: some emoji are as many
MAX_INSTRUCTIONS = 16_000  # characters
_BEGINNING = 200  # characters of instructions that a list shows
_SWITCHED: dict[bool, str] = {False: "off", True: "on"}


class Wanted(TypedDict, total=False):
    """What is given of an assistant. `model` is an id, name or alias; None of it, and of `thinking`, is as usual.

    `files` are the ids of the documents that it knows, in their order.
    """

    name: str
    icon: str
    instructions: str
    model: str | None
    thinking: Thinking | None
    files: list[str]


def checked(wanted: Wanted, allowed: Allowed) -> dict[str, Any]:
    """The columns that it makes; not to be called inside a transaction.

    Raises Invalid: bad_assistant_name, bad_assistant_icon, bad_instructions, too_many_known_files; and what
    `model_service.find` does.
    """
    known_files.check(wanted.get("files", ()))
    return {name: _CHECKS[name](value, allowed) for name, value in wanted.items() if name in _CHECKS}


def beginning(model: type[Assistant] | type[SharedAssistant]) -> ColumnElement[str]:
    """Of the instructions, as much as a list shows."""
    return func.substr(model.instructions, 1, _BEGINNING).label("beginning")


def thinking_of(stored: str | None) -> Thinking | None:
    """As it is asked for: an effort is itself."""
    return stored == "on" if stored in _SWITCHED.values() else cast("Thinking | None", stored)


def _name(name: str, _: Allowed) -> str:
    if is_blank(words := on_a_line(name)) or len(words) > MAX_NAME:
        raise Invalid("bad_assistant_name", limit=MAX_NAME)
    return words


def _icon(icon: str, _: Allowed) -> str:
    if len(signs := on_a_line(icon)) > MAX_ICON or (signs and is_blank(signs)):
        raise Invalid("bad_assistant_icon", limit=MAX_ICON)
    return signs


def _instructions(instructions: str, _: Allowed) -> str:
    words = instructions.replace("\r\n", "\n")
    if is_blank(words) or len(words) > MAX_INSTRUCTIONS:
        raise Invalid("bad_instructions", limit=MAX_INSTRUCTIONS)
    return words


def _model(model: str | None, allowed: Allowed) -> str | None:
    return None if model is None else model_service.find(model, allowed).name


def _thinking(thinking: Thinking | None, _: Allowed) -> str | None:
    return _SWITCHED[thinking] if isinstance(thinking, bool) else thinking


_CHECKS: dict[str, Callable[[Any, Allowed], str | None]] = {
    "name": _name,
    "icon": _icon,
    "instructions": _instructions,
    "model": _model,
    "thinking": _thinking,
}
