"""`flask directories`: people of a directory (LDAP) sign in by name and password, from a terminal."""

import sys
from pathlib import Path
from typing import Any

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group, show
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import group_service
from flask_app.services.people.registration_settings import MODES
from flask_app.services.sign_in import directories as known
from flask_app.services.sign_in import provider_rows
from flask_app.services.sign_in.directories import Found, Listed, Place, Wanted
from flask_app.services.sign_in.directory_terms import ALONE, NESTED, DirectoryTerms

directories = Group("directories", help="Directories (LDAP) whose people sign in by name and password.")


@directories.command("list")
def list_directories() -> None:
    """Every directory, in the order in which they are asked."""
    show(("NAME", "SHORT", "ADDRESS", "NEWCOMERS", "STATE", "PEOPLE"), [_row(each) for each in known.listed()])


@directories.command("add")
@click.argument("slug")
@click.option("--name", help="What people call it; SLUG without.")
@click.option("--address", required=True, help="ldaps://dc.school.example, or ldap://… with StartTLS.")
@click.option("--base-dn", required=True, help="Where people are: ou=people,dc=school,dc=example.")
@click.option("--bind-dn", default="", help="Who looks them up; nobody, anonymously, without.")
@click.option("--password-stdin", is_flag=True, help="Read that one's password from standard input.")
@click.option(
    "--certificates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A PEM file with the only authorities that count; the system's without.",
)
@click.option("--plain", is_flag=True, help="No TLS; only where ALLOW_INSECURE_UPSTREAMS=1 allows it.")
@click.option("--only", default="", help="A filter that people match besides: (objectClass=person).")
@click.option("--login", "name_attributes", multiple=True, help="What people type; uid without.")
@click.option("--mail", "mail_attribute", default="mail", show_default=True)
@click.option("--groups-attribute", default="", help="The attribute with people's groups: memberOf.")
@click.option("--groups-base", default="", help="Where the groups are that name their members.")
@click.option(
    "--nested-groups",
    type=click.Choice(NESTED),
    default=ALONE,
    show_default=True,
    help="Groups within groups: level by level (walked), or by Active Directory's own rule (in_chain).",
)
@click.option("--group-of", "groups", nargs=2, multiple=True, help="A group's name there, whole, and that of one here.")
@click.option("--group", help="The group of everybody else; the default one without.")
@click.option("--newcomers", type=click.Choice(MODES), default=MODES[0], show_default=True)
@click.option("--domain", "domains", multiple=True, help="Only newcomers with a mail address of this domain.")
@click.option("--link-by-name", "links_by_name", is_flag=True, help="Take who is new for the account of that name.")
@click.option(
    "--link-by-email", "links_by_email", is_flag=True, help="Take who is new for who has confirmed the address."
)
def add(slug: str, *, name: str | None, password_stdin: bool, **options: Any) -> None:
    """Let people of a directory sign in; SLUG is its short name here."""
    secret = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    known.add(COMMAND_LINE, slug, Wanted(name=name or slug, terms=_terms(**options), secret=secret))
    click.echo(f"{name or slug} is asked from the next sign-in on. Try it: flask directories try {slug} SOMEBODY")


@directories.command("try")
@click.argument("slug")
@click.argument("username")
def try_out(slug: str, username: str) -> None:
    """Look somebody up, signing nobody in."""
    listed = _named(slug)
    place = Place(listed.terms, provider_rows.secret_of(listed.provider))
    found = known.look_up(COMMAND_LINE, place, username)
    if found is None:
        raise click.ClickException(f"Nobody there is called {username}.")
    click.echo("\n".join(_told(found)))


@directories.command("switch")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch(slug: str, state: str) -> None:
    """Ask a directory, or do not for a while; all else stays."""
    listed = _named(slug)
    wanted = Wanted(name=listed.provider.name, terms=listed.terms, disabled=state == "off")
    known.change(COMMAND_LINE, listed.provider.id, wanted)
    click.echo(state)


@directories.command("remove")
@click.argument("slug")
def remove(slug: str) -> None:
    """Ask it no more; accounts stay."""
    known.delete(COMMAND_LINE, _named(slug).provider.id)


def _named(slug: str) -> Listed:
    found = [each for each in known.listed() if each.provider.slug == slug]
    if not found:
        raise click.ClickException(f"There is no directory {slug}.")
    return found[0]


def _terms(
    *,
    certificates: Path | None,
    name_attributes: tuple[str, ...],
    groups: tuple[tuple[str, str], ...],
    group: str | None,
    **options: Any,
) -> DirectoryTerms:
    return DirectoryTerms(
        certificates=certificates.read_text() if certificates else "",
        name_attributes=name_attributes or ("uid",),
        groups=tuple((value, group_service.by_name(named).id) for value, named in groups),
        group_id=group_service.by_name(group).id if group is not None else DEFAULT_GROUP_ID,
        **options,
    )


def _told(found: Found) -> list[str]:
    lines = [f"Entry: {found.dn}", f"Called: {found.login or '-'}", f"Mail: {found.email or '-'}"]
    return lines + [f"Group: {each}" for each in found.groups]


def _row(listed: Listed) -> tuple[str, ...]:
    provider, terms = listed.provider, listed.terms
    state = "off" if provider.disabled else "on"
    return (provider.name, provider.slug, terms.address, terms.newcomers, state, str(listed.people))
