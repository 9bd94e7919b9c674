"""`flask directories`: people of a directory (LDAP) sign in by name and password, from a terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Function, Group, several, show, typed_line
from flask_app.cli_terms import WORTH, given
from flask_app.services.sign_in import directories as known
from flask_app.services.sign_in import provider_rows
from flask_app.services.sign_in.directories import Found, Listed, Place, Wanted
from flask_app.services.sign_in.directory_terms import NESTED, DirectoryTerms

directories = Group("directories", help="Directories (LDAP) whose people sign in by name and password.")


@directories.command("list")
def list_directories() -> None:
    """Every directory, in the order in which they are asked."""
    show(("NAME", "SHORT", "ADDRESS", "NEWCOMERS", "STATE", "PEOPLE"), [_row(each) for each in known.listed()])


def _options(*, new: bool) -> Callable[[Function], Function]:
    return several(
        click.option("--name", help="What people call it; SLUG at first."),
        click.option("--address", required=new, help="ldaps://dc.school.example, or ldap://… with StartTLS."),
        click.option("--base-dn", required=new, help="Where people are: ou=people,dc=school,dc=example."),
        click.option("--bind-dn", help="Who looks them up; nobody, anonymously, at first."),
        click.option("--password-stdin", is_flag=True, help="Read that one's password from standard input."),
        click.option("--certificates", help="A PEM file with the only authorities that count; empty: the system's."),
        click.option("--plain/--tls", default=None, help="No TLS; only where ALLOW_INSECURE_UPSTREAMS=1 allows it."),
        click.option("--only", help="A filter that people match besides: (objectClass=person)."),
        click.option("--login", "name_attributes", multiple=True, help="What people type; uid at first."),
        click.option("--mail", "mail_attribute", help="The attribute with people's address; mail at first."),
        click.option("--groups-attribute", help="The attribute with people's groups: memberOf."),
        click.option("--groups-base", help="Where the groups are that name their members."),
        click.option(
            "--nested-groups",
            type=click.Choice(NESTED),
            help="Groups within groups: level by level (walked), or by Active Directory's own rule (in_chain).",
        ),
        *WORTH,
        click.option(
            "--link-by-name/--no-link-by-name",
            "links_by_name",
            default=None,
            help="Take who is new for the account of that name.",
        ),
    )


@directories.command("add")
@click.argument("slug")
@_options(new=True)
def add(slug: str, *, name: str | None, password_stdin: bool, **options: Any) -> None:
    """Let people of a directory sign in; SLUG is its short name here."""
    wanted = Wanted(
        name=name or slug, terms=DirectoryTerms(**_given(**options)), secret=typed_line() if password_stdin else None
    )
    known.add(COMMAND_LINE, slug, wanted)
    click.echo(f"{name or slug} is asked from the next sign-in on. Try it: flask directories try {slug} SOMEBODY")


@directories.command("change")
@click.argument("slug")
@_options(new=False)
def change(slug: str, *, name: str | None, password_stdin: bool, **options: Any) -> None:
    """Change what is given, from the next sign-in on; all else stays, and '' empties it.

    Options that can be given several times are given whole. Who asks elsewhere, or as somebody else, gives the password
    anew.
    """
    listed = _named(slug)
    terms = msgspec.structs.replace(listed.terms, **_given(**options))
    secret, disabled = typed_line() if password_stdin else None, listed.provider.disabled
    wanted = Wanted(name=listed.provider.name if name is None else name, terms=terms, secret=secret, disabled=disabled)
    click.echo("\t".join(_row(known.change(COMMAND_LINE, listed.provider.id, wanted))))


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


def _given(*, certificates: str | None, **options: Any) -> dict[str, Any]:
    return given(**options) | ({} if certificates is None else {"certificates": _text(certificates)})


def _text(path: str) -> str:
    """What is in the file; no path, no certificates."""
    try:
        return Path(path).read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(str(error), param_hint="--certificates") from error


def _told(found: Found) -> list[str]:
    lines = [f"Entry: {found.dn}", f"Called: {found.login or '-'}", f"Mail: {found.email or '-'}"]
    return lines + [f"Group: {each}" for each in found.groups]


def _row(listed: Listed) -> tuple[str, ...]:
    provider, terms = listed.provider, listed.terms
    state = "off" if provider.disabled else "on"
    return (provider.name, provider.slug, terms.address, terms.newcomers, state, str(listed.people))
