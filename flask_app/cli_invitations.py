"""`flask invitations`: links and codes by which people make accounts of their own, from a terminal."""

from typing import IO

import click

from flask_app.cli_budgets import COMMAND_LINE
from flask_app.cli_group import Group, moment, named_address, show, site_address
from flask_app.i18n import chosen, translate
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import group_service, invitation_admin_service, inviting_many
from flask_app.services.people.invitation_admin_service import Listed, Terms
from flask_app.services.people.invitation_letters import Sending
from flask_app.services.people.inviting_many import ListRefused, Wanted
from flask_app.services.queries.paging import MAX_PAGE
from flask_app.services.site import site_service
from flask_app.web.invitations import letters_of, table_of

_LAPSED = "ended: whoever made it may not invite there any more"

invitations = Group("invitations", help="Links and codes by which people make accounts of their own.")


@invitations.command("create")
@click.argument("name")
@click.option("--group", help="The name of the group that people come into; the default one without.")
@click.option("--most", type=int, default=1, show_default=True, help="How many people may use it.")
@click.option("--days", type=int, default=7, show_default=True, help="How long it is valid.")
def create(name: str, *, group: str | None, most: int, days: int) -> None:
    """Print a new link, and its code to be typed, which are shown this once. Whoever comes by them sees NAME."""
    group_id = group_service.by_name(group).id if group is not None else DEFAULT_GROUP_ID
    made = invitation_admin_service.make(COMMAND_LINE, Terms(name=name, group_id=group_id, most=most, days=days))
    invitation = made.listed.invitation
    click.echo(f"Invitation {invitation.id}, valid until {moment(invitation.expires_at)}", err=True)
    click.echo(f"Code to be typed at {site_address()}/join: {made.token}", err=True)
    click.echo(f"{site_address()}/join#{made.token}")


@invitations.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--group", help="The name of the group for who has none in FILE; the default one without.")
@click.option("--days", type=int, default=7, show_default=True, help="How long they are valid.")
@click.option("--send", is_flag=True, help="The server mails whoever has an address their link.")
def import_list(file: IO[bytes], *, group: str | None, days: int, send: bool) -> None:
    """Invite everybody in FILE (UTF-8; name,email,group; - reads the standard input), each for one person.

    Prints a table (CSV) with the links and codes, which are shown this once. Where FILE has a mistake, nothing is made.
    """
    group_id = group_service.by_name(group).id if group is not None else DEFAULT_GROUP_ID
    sending = Sending(named_address(), chosen(site_service.site().locale)) if send else None
    try:
        text = file.read().decode("utf-8")
        made = inviting_many.make(COMMAND_LINE, Wanted(text=text, group_id=group_id, days=days, sending=sending))
    except UnicodeDecodeError as error:
        raise click.ClickException(translate("en", "js.admin.many_not_utf8")) from error
    except ListRefused as error:
        lines = inviting_many.mistakes_in("en", error)
        raise click.ClickException(translate("en", f"error.{error.code}", lines=lines)) from error
    click.echo(f"Invitations: {len(made)}", err=True)
    if send:
        click.echo(f"Letters on their way: {letters_of(made)}", err=True)
    click.echo(table_of(made, f"{site_address()}/join", "en"), nl=False)


@invitations.command("list")
def list_invitations() -> None:
    """Every invitation, the newest first; a code itself is shown nowhere."""
    show(("ID", "NAME", "GROUP", "USED", "STATE", "VALID UNTIL", "BY", "LETTER"), [_row(each) for each in _all()])


@invitations.command("revoke")
@click.argument("invitation_id", metavar="ID")
def revoke(invitation_id: str) -> None:
    """Let nobody come in by an invitation, by its id, any more."""
    listed = invitation_admin_service.revoke(COMMAND_LINE, invitation_id)
    click.echo(f"{listed.invitation.name}: {listed.state.replace('_', ' ')}")


def _all() -> list[Listed]:
    page = invitation_admin_service.listed(limit=MAX_PAGE)
    found = page.invitations
    while page.next:
        page = invitation_admin_service.listed(before=page.next, limit=MAX_PAGE)
        found = [*found, *page.invitations]
    return found


def _row(listed: Listed) -> tuple[str, ...]:
    invitation = listed.invitation
    group = group_service.shown_name(listed.group, "en") if listed.group else "-"
    used = f"{invitation.used}/{invitation.most}"
    state = _LAPSED if listed.state == "lapsed" else listed.state.replace("_", " ")
    until = moment(invitation.expires_at)
    return (invitation.id, invitation.name, group, used, state, until, listed.by or "-", _letter(listed))


def _letter(listed: Listed) -> str:
    """How it stands, and why not otherwise."""
    if listed.letter is None:
        return "-"
    state, error = listed.letter.state, listed.letter.error
    return f"{state} ({translate('en', f'error.{error}')})" if error else state
