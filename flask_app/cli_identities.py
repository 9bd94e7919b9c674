"""`flask identities`: signing in by an organisation's own identity, from a terminal."""

import sys
from typing import Any

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group, show, site_address
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import group_service
from flask_app.services.people.registration_settings import MODES
from flask_app.services.sign_in import identity_providers, identity_terms, password_sign_in
from flask_app.services.sign_in.identity_providers import Listed, Wanted
from flask_app.services.sign_in.identity_terms import Terms

identities = Group("identities", help="Signing in by an organisation's own identity (OpenID Connect).")


@identities.command("list")
def list_providers() -> None:
    """Every provider, the oldest first."""
    show(
        ("NAME", "ADDRESS", "ISSUER", "NEWCOMERS", "STATE", "PEOPLE"),
        [_row(each) for each in identity_providers.listed()],
    )


@identities.command("add")
@click.argument("slug")
@click.option("--name", help="What stands on the button; SLUG without.")
@click.option("--issuer", required=True, help="Such as https://id.example.org/realms/school.")
@click.option("--client-id", required=True)
@click.option("--secret-stdin", is_flag=True, help="Read the client's secret from standard input.")
@click.option("--scope", "scopes", multiple=True, help="Besides openid; profile and email without.")
@click.option("--groups-claim", default="", help="The claim with people's groups, by a path with dots.")
@click.option("--group-of", "groups", nargs=2, multiple=True, help="A value of the claim and the name of a group here.")
@click.option("--group", help="The group of everybody else; the default one without.")
@click.option("--newcomers", type=click.Choice(MODES), default=MODES[0], show_default=True)
@click.option("--domain", "domains", multiple=True, help="Only newcomers with a mail address of this domain.")
@click.option(
    "--link-by-email", "links_by_email", is_flag=True, help="Take who is new for who has confirmed the address."
)
@click.option("--second-factor", is_flag=True, help="The provider asks for one: none is asked for here.")
def add(slug: str, *, name: str | None, secret_stdin: bool, **options: Any) -> None:
    """Let people sign in by the provider whose address here ends in SLUG."""
    secret = sys.stdin.readline().rstrip("\r\n") if secret_stdin else None
    wanted = Wanted(name=name or slug, terms=_terms(**options), secret=secret)
    identity_providers.add(COMMAND_LINE, slug, wanted)
    click.echo(f"Redirect URI: {site_address()}/login/callback/{slug}")


@identities.command("try")
@click.argument("issuer")
def try_out(issuer: str) -> None:
    """Read what a provider says of itself."""
    metadata = identity_providers.try_out(COMMAND_LINE, issuer)
    click.echo(f"It works: {metadata.issuer} signs with {', '.join(metadata.algorithms)}.")


@identities.command("switch")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
def switch(slug: str, state: str) -> None:
    """Let people sign in by a provider, or nobody for a while; all else stays."""
    listed = _named(slug)
    wanted = Wanted(name=listed.provider.name, terms=listed.terms, disabled=state == "off")
    identity_providers.change(COMMAND_LINE, listed.provider.id, wanted)
    click.echo(state)


@identities.command("remove")
@click.argument("slug")
def remove(slug: str) -> None:
    """Let nobody sign in by it any more; accounts stay."""
    identity_providers.delete(COMMAND_LINE, _named(slug).provider.id)


@identities.command("passwords")
@click.argument("who", type=click.Choice([password_sign_in.EVERYBODY, password_sign_in.ADMINISTRATORS]))
def passwords(who: str) -> None:
    """Say who may sign in by a password: everybody, or administrators alone while there is a provider."""
    password_sign_in.choose(COMMAND_LINE, everybody=who == password_sign_in.EVERYBODY)
    click.echo(who)


def _named(slug: str) -> Listed:
    found = [each for each in identity_providers.listed() if each.provider.slug == slug]
    if not found:
        raise click.ClickException(f"There is no provider {slug}.")
    return found[0]


def _terms(*, scopes: tuple[str, ...], groups: tuple[tuple[str, str], ...], group: str | None, **options: Any) -> Terms:
    return Terms(
        scopes=scopes or identity_terms.SCOPES,
        groups=tuple((value, group_service.by_name(named).id) for value, named in groups),
        group_id=group_service.by_name(group).id if group is not None else DEFAULT_GROUP_ID,
        **options,
    )


def _row(listed: Listed) -> tuple[str, ...]:
    provider, terms = listed.provider, listed.terms
    state = "off" if provider.disabled else "on"
    return (provider.name, provider.slug, terms.issuer, terms.newcomers, state, str(listed.people))
