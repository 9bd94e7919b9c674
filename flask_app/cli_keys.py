"""`flask keys`: the providers' keys from a terminal."""

import sys

import click

from flask_app.cli_group import Group, moment, show
from flask_app.models import ApiKey
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import key_admin_service
from flask_app.services.providers.key_admin_service import NewKey
from flask_app.services.warnings import wording

keys = Group("keys", help="The providers' API keys.")


@keys.command("add")
@click.argument("label")
@click.option("--secret-stdin", is_flag=True, required=True, help="Read the key from standard input.")
@click.option("--base-url", help="The provider's address; DeepSeek's without.")
@click.option("--provider", "provider_name", help="What to call the provider.")
@click.option("--currency", default="CNY", show_default=True, help="What the provider bills in.")
def add(label: str, base_url: str | None, provider_name: str | None, currency: str, **_: bool) -> None:
    """Keep a key, and read its provider's model list."""
    secret = sys.stdin.readline().strip()
    new = NewKey(label=label, secret=secret, base_url=base_url, provider_name=provider_name, currency=currency)
    key = key_admin_service.add(Actor(user=None), new).key
    click.echo(f"{key.id} {key.label} ({key.provider.name}, {key.provider.base_url})")
    if key.last_error_code:
        click.echo(f"It is kept, but cannot be used yet. {wording.key_trouble(key.last_error_code, 'en')}", err=True)


@keys.command("list")
def list_keys() -> None:
    """Every key with what came of it last, the oldest first; of the secret only its end."""
    rows = [
        (key.label, key.provider.name, f"…{key.hint}" if key.hint else "-", _state(key, state), _last_error(key))
        for key, state in ((status.key, status.state) for status in key_admin_service.listed())
    ]
    show(("LABEL", "PROVIDER", "HINT", "STATE", "LAST ERROR"), rows)


def _state(key: ApiKey, state: str) -> str:
    if key.secret is None:
        return "no secret"
    return f"benched until {moment(key.benched_until)}" if state == "benched" else state


def _last_error(key: ApiKey) -> str:
    return f"{key.last_error_code} {moment(key.last_error_at)}" if key.last_error_code else "-"
