"""`flask identities`: signing in by an organisation's own identity, from a terminal."""

from collections.abc import Callable
from typing import Any

import click
import msgspec

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Function, Group, several, show, site_address, typed_line
from flask_app.cli_terms import WORTH, given
from flask_app.services.sign_in import identity_providers, password_sign_in
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


def _options(*, new: bool) -> Callable[[Function], Function]:
    return several(
        click.option("--name", help="What stands on the button; SLUG at first."),
        click.option("--issuer", required=new, help="Such as https://id.example.org/realms/school."),
        click.option("--client-id", required=new),
        click.option("--secret-stdin", is_flag=True, help="Read the client's secret from standard input."),
        click.option("--scope", "scopes", multiple=True, help="Besides openid; profile and email at first."),
        click.option("--groups-claim", help="The claim with people's groups, by a path with dots."),
        *WORTH,
        click.option(
            "--second-factor/--no-second-factor",
            default=None,
            help="The provider asks for one: none is asked for here.",
        ),
    )


@identities.command("add")
@click.argument("slug")
@_options(new=True)
def add(slug: str, *, name: str | None, secret_stdin: bool, **options: Any) -> None:
    """Let people sign in by the provider whose address here ends in SLUG."""
    wanted = Wanted(name=name or slug, terms=Terms(**given(**options)), secret=typed_line() if secret_stdin else None)
    identity_providers.add(COMMAND_LINE, slug, wanted)
    click.echo(f"Redirect URI: {site_address()}/login/callback/{slug}")


@identities.command("change")
@click.argument("slug")
@_options(new=False)
def change(slug: str, *, name: str | None, secret_stdin: bool, **options: Any) -> None:
    """Change what is given, from the next sign-in on; all else stays, and '' empties it.

    Options that can be given several times are given whole.
    """
    listed = _named(slug)
    terms = msgspec.structs.replace(listed.terms, **given(**options))
    secret, disabled = typed_line() if secret_stdin else None, listed.provider.disabled
    wanted = Wanted(name=listed.provider.name if name is None else name, terms=terms, secret=secret, disabled=disabled)
    click.echo("\t".join(_row(identity_providers.change(COMMAND_LINE, listed.provider.id, wanted))))


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


def _row(listed: Listed) -> tuple[str, ...]:
    provider, terms = listed.provider, listed.terms
    state = "off" if provider.disabled else "on"
    return (provider.name, provider.slug, terms.issuer, terms.newcomers, state, str(listed.people))
