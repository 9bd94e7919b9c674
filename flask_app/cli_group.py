"""What all commands share: failures that are a sentence and an exit code, lists in plain columns."""

import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import DBAPIError

from flask_app import config
from flask_app.config import Config
from flask_app.errors import AppError
from flask_app.i18n import translate
from flask_app.services.queries import paging
from flask_app.services.usage.stats_service import DateRange

_NO_SUCH_TABLE = 1146  # MySQL's number


Function = TypeVar("Function", bound=Callable[..., Any])
Option = Callable[[Any], Any]
DAY = click.DateTime(["%Y-%m-%d"])
# A list that is printed page by page.
PAGED: tuple[Option, ...] = (
    click.option("--before", metavar="CURSOR", help="Where the last page ended, as it said."),
    click.option("--limit", default=paging.PAGE, show_default=True, help=f"How many; at most {paging.MAX_PAGE}."),
)
DAYS: tuple[Option, ...] = (
    click.option("--from", "first", type=DAY, help="The first day, such as 2026-11-25, in the site's time zone."),
    click.option("--to", "last", type=DAY, help="The last day, within."),
)


class Group(AppGroup):
    def invoke(self, ctx: click.Context) -> Any:
        with _complaints():
            return super().invoke(ctx)


class Command(click.Command):
    """One that stands alone."""

    def invoke(self, ctx: click.Context) -> Any:
        with _complaints():
            return with_appcontext(super().invoke)(ctx)


@contextmanager
def _complaints() -> Iterator[None]:
    try:
        yield
    except AppError as error:
        raise click.ClickException(translate("en", f"error.{error.code}", **error.params)) from error
    except DBAPIError as error:
        raise click.ClickException(_complaint(error)) from error


def _complaint(error: DBAPIError) -> str:
    number = next(iter(getattr(error.orig, "args", ())), None)
    if number == _NO_SUCH_TABLE or "no such table" in str(error.orig):
        return (
            "The database holds no tables yet. Start MingChat once (make run), or: .venv/bin/python -m scripts.migrate"
        )
    return f"The database does not answer: {error.orig}"


def several(*options: Option) -> Callable[[Function], Function]:
    """These options, in this order in the help."""

    def with_options(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return with_options


def dates(first: datetime | None, last: datetime | None) -> DateRange:
    """What two options of the kind DAY name."""
    return DateRange(first.date() if first else None, last.date() if last else None)


def show(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their heads, two spaces between the columns."""
    lines = [heads, *rows]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def more(cursor: str | None) -> None:
    """Say how the next page is asked for, beside what was printed."""
    if cursor is not None:
        click.echo(f"There are more: --before {cursor}", err=True)


def typed_line() -> str:
    """The first line of the standard input: a secret that is in no list of processes."""
    return sys.stdin.readline().rstrip("\r\n")


def moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}" if at else "never"


def site_address() -> str:
    """Where people reach the site, as far as the settings tell."""
    return named_address() or _at_own_port(config.current().allowed_hosts[0])


def named_address() -> str | None:
    """The same where the settings name one that is not this machine's alone: letters lead there."""
    known = config.current()
    named = [host for host in known.allowed_hosts if host not in Config.allowed_hosts and not host.startswith(".")]
    if not named:
        return None
    return f"https://{named[0]}" if known.trusted_proxies else _at_own_port(named[0])


def _at_own_port(host: str) -> str:
    return f"http://{host}" if ":" in host else f"http://{host}:{config.current().port}"


def _width(text: str) -> int:
    """In a terminal's cells: a Chinese character takes two, an accent none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)
