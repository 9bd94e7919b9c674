"""`flask users …` and the other commands: parse, call a service, print."""

import click

from flask_app.cli_assistants import assistants
from flask_app.cli_audit import audit
from flask_app.cli_backup import backup, move, restore
from flask_app.cli_budgets import budgets
from flask_app.cli_codes import codes
from flask_app.cli_directories import directories
from flask_app.cli_doctor import doctor
from flask_app.cli_files import files
from flask_app.cli_group import Group, moment, show, site_address, typed_line
from flask_app.cli_groups import groups
from flask_app.cli_identities import identities
from flask_app.cli_invitations import invitations
from flask_app.cli_keys import keys
from flask_app.cli_mail import mail
from flask_app.cli_models import models
from flask_app.cli_prompts import prompts
from flask_app.cli_rates import rates_group
from flask_app.cli_registrations import registrations
from flask_app.cli_requests import requests
from flask_app.cli_secrets import secrets
from flask_app.cli_shares import shares
from flask_app.cli_site import site
from flask_app.cli_system import system
from flask_app.cli_tariffs import tariffs
from flask_app.cli_tokens import tokens
from flask_app.cli_tools import tools
from flask_app.cli_usage import usage
from flask_app.cli_warnings import warnings
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import (
    account_deletion,
    group_service,
    ownership_service,
    people_search,
    standing,
    user_admin_service,
)
from flask_app.services.people.password_links import Link
from flask_app.services.sign_in import passkey_service

COMMAND_LINE = Actor(user=None)

users = Group("users", help="The people of this site.")


COMMANDS: tuple[click.Command, ...] = (
    *(
        users,
        invitations,
        registrations,
        identities,
        directories,
        groups,
        prompts,
        assistants,
        tools,
        rates_group,
        budgets,
        codes,
        keys,
        models,
        tariffs,
        tokens,
        shares,
        requests,
        usage,
        warnings,
        mail,
    ),
    *(site, system, secrets, audit, files, backup, restore, move, doctor),
)


@users.command("create")
@click.argument("name")
@click.option("--admin", is_flag=True, help="Make the person an administrator.")
@click.option("--group", help="The name of the group the person joins; the default one without.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(name: str, *, admin: bool, group: str | None, password_stdin: bool) -> None:
    """Add a person; without a password, print a single-use link to choose one."""
    group_id = group_service.by_name(group).id if group is not None else DEFAULT_GROUP_ID
    password = typed_line() if password_stdin else None
    role = "admin" if admin else "member"
    added = user_admin_service.add(COMMAND_LINE, name, role, password, group_id=group_id)
    click.echo(f"Added {added.user.username} ({standing.role_of(added.user)}).")
    if added.link:
        _show(added.link)


@users.command("list")
@click.option("--search", default="", help="Part of a name, or the whole of an e-mail address or of a group's name.")
@click.option("--group", help="The people of the group of this name.")
@click.option("--state", type=click.Choice(list(people_search.STATES)), help="waiting: who has never signed in.")
def list_users(*, search: str, group: str | None, state: str | None) -> None:
    """Everybody, or who is looked for, the newest first."""
    group_id = group_service.by_name(group).id if group is not None else None
    rows = [
        (
            person.user.username,
            standing.role_of(person.user),
            "disabled" if person.user.disabled else "active",
            "on" if person.second_step else "off",
            str(person.passkeys or "none"),
            moment(person.user.last_sign_in_at),
            group_service.shown_name(person.group, "en"),
            person.user.email or "-",
        )
        for person in user_admin_service.everybody(search=search, group_id=group_id, state=state)
    ]
    show(("NAME", "ROLE", "STATE", "SECOND STEP", "PASSKEYS", "LAST SIGN-IN", "GROUP", "E-MAIL"), rows)


@users.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(("owner", *user_admin_service.ROLES)))
def role(name: str, role: str) -> None:
    """Make a person an owner, an administrator or a member; the last owner stays one."""
    user = user_admin_service.by_name(name)
    if role == "owner":
        person = ownership_service.give(COMMAND_LINE, user.id, keep=True)
    elif standing.role_of(user) == "owner":
        person = ownership_service.end(COMMAND_LINE, user.id, role=role)
    else:
        person = user_admin_service.change(COMMAND_LINE, user.id, role=role)
    click.echo(f"{person.user.username}: {standing.role_of(person.user)}")


@users.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Lock a person out, at once and everywhere, until they are enabled again."""
    _set_disabled(name, disabled=True)


@users.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Let a disabled person in again."""
    _set_disabled(name, disabled=False)


@users.command("delete")
@click.argument("name")
@click.confirmation_option(prompt="All that this person has is deleted for good. Go on?")
def delete(name: str) -> None:
    """Delete a person's account with all that they have, for good; the ledger keeps its counts."""
    user = user_admin_service.by_name(name)
    account_deletion.begin_for(COMMAND_LINE, user.id)
    click.echo(f"{user.username} is out; the servers remove what is left within minutes.")


@users.command("group")
@click.argument("name")
@click.argument("group")
@click.option("--yes", is_flag=True, help="Delete what of theirs is too old in that group.")
def move_to(name: str, group: str, *, yes: bool) -> None:
    """Move a person to another group."""
    group_id, user_id = group_service.by_name(group).id, user_admin_service.by_name(name).id
    person = user_admin_service.change(COMMAND_LINE, user_id, group_id=group_id, is_confirmed=yes)
    click.echo(f"{person.user.username}: {group_service.shown_name(person.group, 'en')}")


@users.command("reset-link")
@click.argument("name")
def reset_link(name: str) -> None:
    """Print a single-use link by which the person chooses a new password."""
    user = user_admin_service.by_name(name)
    _show(user_admin_service.reset_link(COMMAND_LINE, user.id))
    if passkey_service.listed(user):
        click.echo("Passkeys stay as they are. Where a device was lost or stolen: flask users remove-passkeys NAME")


@users.command("turn-off-second-step")
@click.argument("name")
def turn_off_second_step(name: str) -> None:
    """Let a person who has lost their authenticator app sign in by the password alone; it signs them out everywhere."""
    person = user_admin_service.turn_off_second_step(COMMAND_LINE, user_admin_service.by_name(name).id)
    click.echo(f"{person.user.username} signs in by the password alone from now on.")


@users.command("remove-passkeys")
@click.argument("name")
def remove_passkeys(name: str) -> None:
    """Remove all passkeys of a person whose device is lost or stolen; it signs them out everywhere."""
    person = user_admin_service.remove_passkeys(COMMAND_LINE, user_admin_service.by_name(name).id)
    click.echo(f"{person.user.username} has no passkeys any more.")


def _set_disabled(name: str, *, disabled: bool) -> None:
    person = user_admin_service.change(COMMAND_LINE, user_admin_service.by_name(name).id, disabled=disabled)
    click.echo(f"{person.user.username}: {'disabled' if person.user.disabled else 'active'}")


def _show(link: Link) -> None:
    click.echo(f"Good for 24 hours: {site_address()}/reset#{link.token}")
