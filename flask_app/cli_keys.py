"""`flask keys`: the providers' keys from a terminal."""

import sys

import click

from flask_app.cli_group import Group
from flask_app.services import key_admin_service
from flask_app.services.audit_service import Actor
from flask_app.services.key_admin_service import NewKey

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
    key = key_admin_service.add(Actor(user=None), new)
    click.echo(f"{key.id} {key.label} ({key.provider.name}, {key.provider.base_url})")
    if key.last_error_code:
        click.echo(f"The provider did not accept it yet: {key.last_error_code}", err=True)
