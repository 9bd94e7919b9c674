"""`flask registrations`: accounts without an invitation, from a terminal."""

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group, moment, show, site_address
from flask_app.models import DEFAULT_GROUP_ID, Registration
from flask_app.services.people import (
    group_service,
    registration_admin_service,
    registration_notice,
    registration_settings,
)
from flask_app.services.people.registration_settings import MODES, Terms
from flask_app.services.queries.paging import MAX_PAGE

registrations = Group("registrations", help="Accounts that people make without an invitation.")


@registrations.command("allow")
@click.argument("mode", type=click.Choice(MODES))
@click.option("--group", help="The name of the group that people come into; the default one without.")
@click.option("--domain", "domains", multiple=True, help="Only mail addresses of this domain; several times for more.")
def allow(mode: str, *, group: str | None, domains: tuple[str, ...]) -> None:
    """Say who may make one: nobody (closed), whom an administrator lets in (approval), or everybody (open)."""
    group_id = group_service.by_name(group).id if group is not None else DEFAULT_GROUP_ID
    changed = registration_settings.change(COMMAND_LINE, Terms(mode=mode, group_id=group_id, domains=domains))
    click.echo(" ".join([changed.mode, *changed.domains]))


@registrations.command("list")
def list_registrations() -> None:
    """Everybody who waits for an administrator's word, who came first first."""
    show(("ID", "NAME", "E-MAIL", "ASKED", "FROM"), [_row(each) for each in _all()])


@registrations.command("accept")
@click.argument("registration_id", metavar="ID")
@click.option("--group", help="The name of the group; that of the settings without.")
def accept(registration_id: str, *, group: str | None) -> None:
    """Let somebody in. A mail tells them so, where they have confirmed an address."""
    group_id = group_service.by_name(group).id if group is not None else None
    person = registration_admin_service.accept(COMMAND_LINE, registration_id, group_id)
    registration_notice.tell(person.user, site_address())
    click.echo(f"{person.user.username}: {group_service.shown_name(person.group, 'en')}")


@registrations.command("refuse")
@click.argument("registration_id", metavar="ID")
def refuse(registration_id: str) -> None:
    """Forget somebody who waits."""
    registration_admin_service.refuse(COMMAND_LINE, registration_id)


def _all() -> list[Registration]:
    page = registration_admin_service.waiting(limit=MAX_PAGE)
    found = page.registrations
    while page.next:
        page = registration_admin_service.waiting(after=page.next, limit=MAX_PAGE)
        found = [*found, *page.registrations]
    return found


def _row(registration: Registration) -> tuple[str, ...]:
    return (
        registration.id,
        registration.username,
        registration.email or "-",
        moment(registration.created_at),
        registration.address,
    )
