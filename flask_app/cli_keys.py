"""`flask keys`: the providers' keys from a terminal."""

import sys
from typing import Any, cast

import click

from flask_app.cli_group import Group, moment, show
from flask_app.domain import tariff
from flask_app.domain.balance import Balance
from flask_app.models import ApiKey
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import key_admin_service, provider_service
from flask_app.services.providers.key_admin_service import KeyChange, NewKey
from flask_app.services.warnings import wording

COMMAND_LINE = Actor(user=None)

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
    key = key_admin_service.add(COMMAND_LINE, new).key
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


@keys.command("change")
@click.argument("label")
@click.option("--label", "new_label", help="What it is called from now on.")
@click.option("--on/--off", "on", default=None, help="Is it asked?")
@click.option("--priority", type=int, help="Keys of a lower number are asked first.")
@click.option("--weight", type=int, help="Its share among those of the same priority.")
@click.option("--most", "max_concurrent", type=int, help="How many answers it makes at once; 0: as many as come.")
@click.option("--account", help="The account at the provider that it belongs to; an empty one: none is known.")
@click.option("--low-balance", help="What is little on its account, such as 12.50; an empty one: as for all.")
def change(label: str, **wanted: Any) -> None:
    """Change how a key is asked; what is not named stays."""
    key = key_admin_service.change(COMMAND_LINE, _called(label).id, **_changes(**wanted)).key
    click.echo(f"{key.label}: {'off' if key.disabled else 'on'}")


@keys.command("delete")
@click.argument("label")
def delete(label: str) -> None:
    """Forget a key's secret and take it off the list."""
    key_admin_service.delete(COMMAND_LINE, _called(label).id)


@keys.command("test")
@click.argument("label")
def test(label: str) -> None:
    """Ask the provider for its models with a key; status 1 where it does not answer."""
    trial = key_admin_service.test(COMMAND_LINE, _called(label).id)
    if trial.error:
        raise click.ClickException(wording.key_trouble(trial.error.code, "en"))
    click.echo(f"It works ({trial.latency_ms} ms): {', '.join(trial.models)}")


@keys.command("balance")
@click.argument("label")
def balance(label: str) -> None:
    """Ask the provider what is left on a key's account."""
    key = key_admin_service.read_balance(COMMAND_LINE, _called(label).id).key
    found = Balance.restored(key.balance) if key.balance else None
    click.echo(", ".join(f"{tariff.decimal(each.total)} {each.currency}" for each in found.sums) if found else "-")


@keys.command("unbench")
@click.argument("label")
def unbench(label: str) -> None:
    """Have a key that rests asked again at once."""
    click.echo(key_admin_service.clear_bench(COMMAND_LINE, _called(label).id).key.label)


@keys.command("provider")
@click.argument("name")
@click.argument("priority", type=int)
def provider(name: str, priority: int) -> None:
    """Say in which place a provider is asked for a model that several have."""
    found = {status.key.provider.name: status.key.provider_id for status in key_admin_service.listed()}
    if name not in found:
        raise click.ClickException(f"There is no provider {name}.")
    changed = provider_service.change(COMMAND_LINE, found[name], priority=priority)
    click.echo(f"{changed.name}: {changed.priority}")


def _called(label: str) -> ApiKey:
    found = [status.key for status in key_admin_service.listed() if status.key.label == label]
    if len(found) != 1:
        raise click.ClickException(f"There {'are several keys' if found else 'is no key'} {label}.")
    return found[0]


def _changes(on: bool | None, new_label: str | None, low_balance: str | None, **others: Any) -> KeyChange:  # noqa: FBT001
    named: dict[str, Any] = {name: value for name, value in others.items() if value is not None}
    named |= {"max_concurrent": named["max_concurrent"] or None} if "max_concurrent" in named else {}
    named |= {"label": new_label} if new_label is not None else {}
    named |= {"disabled": not on} if on is not None else {}
    if low_balance is not None:
        named["low_balance_micros"] = tariff.micros(low_balance) if low_balance else None
    return cast("KeyChange", named)


def _state(key: ApiKey, state: str) -> str:
    if key.secret is None:
        return "no secret"
    return f"benched until {moment(key.benched_until)}" if state == "benched" else state


def _last_error(key: ApiKey) -> str:
    return f"{key.last_error_code} {moment(key.last_error_at)}" if key.last_error_code else "-"
