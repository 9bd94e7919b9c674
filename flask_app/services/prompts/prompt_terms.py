"""What prompts have in common, whoever they are for: what their words may be, and how they are listed."""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_

from flask_app.domain import prompt_text
from flask_app.domain.blank import is_blank
from flask_app.errors import Invalid
from flask_app.models import Prompt, SharedPrompt
from flask_app.services.people import names
from flask_app.services.queries import paging

MOST = 500  # of one person, for everybody, or for one group
MAX_TITLE = 100
MAX_TEXT = 20_000  # characters
MOST_VARIABLES = 20
_BEGINNING = 200  # characters of a text that a list shows
_LONGEST_KEY = names.MAX_KEY_LENGTH
_JOINER = "\u200d"  # joins emoji to one


@dataclass(frozen=True, slots=True)
class Wanted:
    command: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page of a list: those in whose command or title `search` stands, older than `before`."""

    search: str = ""
    before: str | None = None
    limit: int = paging.PAGE


def checked(wanted: Wanted) -> dict[str, str]:
    """The columns that it makes.

    Raises Invalid: bad_prompt_command, bad_prompt_title, bad_prompt_text, too_many_variables.
    """
    command = unicodedata.normalize("NFC", wanted.command).strip()
    title, text = on_a_line(wanted.title), wanted.text.replace("\r\n", "\n")
    if not _is_command(command):
        raise Invalid("bad_prompt_command", limit=prompt_text.MAX_COMMAND)
    if is_blank(title) or len(title) > MAX_TITLE:
        raise Invalid("bad_prompt_title", limit=MAX_TITLE)
    if is_blank(text) or len(text) > MAX_TEXT:
        raise Invalid("bad_prompt_text", limit=MAX_TEXT)
    if len(prompt_text.variables(text)) > MOST_VARIABLES:
        raise Invalid("too_many_variables", limit=MOST_VARIABLES)
    keys = {"command_key": names.key(command), "title_key": names.key(title)[:_LONGEST_KEY]}
    return {"command": command, "title": title, "text": text, **keys}


def page_terms(model: type[Prompt] | type[SharedPrompt], asked: Asked) -> list[ColumnElement[bool]]:
    """Which rows; raises BadRequest for a bad cursor."""
    terms = []
    if sought := names.key(asked.search.strip().lstrip("/／"))[:_LONGEST_KEY]:
        found = (column.contains(sought, autoescape=True) for column in (model.command_key, model.title_key))
        terms.append(or_(*found))
    if asked.before is not None:
        terms.append(model.id < paging.checked_id(asked.before))
    return terms


def beginning(model: type[Prompt] | type[SharedPrompt]) -> ColumnElement[str]:
    """Of the text, as much as a list shows."""
    return func.substr(model.text, 1, _BEGINNING).label("beginning")


def _is_command(command: str) -> bool:
    folded = names.key(command)
    return prompt_text.is_command(command) and prompt_text.is_key(folded) and len(folded) <= _LONGEST_KEY


def on_a_line(title: str) -> str:
    """Without what does not print, or turns the words around."""
    return " ".join("".join(each if each.isprintable() or each == _JOINER else " " for each in title).split())
