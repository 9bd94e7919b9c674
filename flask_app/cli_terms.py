"""Options of what the word of others is worth: those of a directory, those of an identity provider.

What is added and what is changed have the same ones. One that is not given stays as it is, or as it is at first.
"""

from typing import Any

import click

from flask_app.cli_group import Option
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import group_service
from flask_app.services.people.registration_settings import MODES

WORTH: tuple[Option, ...] = (
    click.option("--group-of", "groups", nargs=2, multiple=True, help="A group's name there, and that of one here."),
    click.option("--group", help="The group of everybody else; the default one at first."),
    click.option("--newcomers", type=click.Choice(MODES), help=f"{MODES[0]} at first."),
    click.option("--domain", "domains", multiple=True, help="Only newcomers with a mail address of this domain."),
    click.option(
        "--link-by-email/--no-link-by-email",
        "links_by_email",
        default=None,
        help="Take who is new for who has confirmed the address.",
    ),
)


def given(*, groups: tuple[tuple[str, str], ...], group: str | None, **options: Any) -> dict[str, Any]:
    """The terms that were named, ready for `Worth`. Of what there can be several, empty words take all away."""
    terms = {name: _without_empty(value) for name, value in options.items() if value not in (None, ())}
    if groups:
        named = [(there, here) for there, here in groups if there or here]
        terms["groups"] = tuple((there, group_service.by_name(here).id) for there, here in named)
    if group is not None:
        terms["group_id"] = group_service.by_name(group).id if group else DEFAULT_GROUP_ID
    return terms


def _without_empty(value: Any) -> Any:
    return tuple(each for each in value if each) if isinstance(value, tuple) else value
