"""Providers' keys: the administrators' API."""

from typing import Annotated, cast

import msgspec
from flask import Blueprint

from flask_app.domain import cooldown
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import key_admin_service
from flask_app.services.providers.key_admin_service import KeyChange, NewKey
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import Body, accepts, returns
from flask_app.web.client import client_address
from flask_app.web.keys import KeyReply, KeysReply, TrialReply, key_reply, keys_reply, trial_reply
from flask_app.web.warnings import Threshold

blueprint = Blueprint("admin_keys", __name__, url_prefix="/api/admin/keys")

Name = Annotated[str, msgspec.Meta(max_length=200)]


class AddKey(Body):
    """Without `base_url` it is a DeepSeek key. `currency` is the one its account is billed in (CNY)."""

    label: Name
    secret: Annotated[str, msgspec.Meta(max_length=1000)]
    base_url: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    provider_name: Name | None = None
    currency: Annotated[str, msgspec.Meta(max_length=10)] | None = None


class ChangeKey(Body):
    """What is not named stays. Lower priorities are asked first; among equals chance decides by weight.

    `max_concurrent` caps the answers that the key makes at once. Keys of one provider with the same `account` are
    benched together. Less than `low_balance_micros` (millionths of the account's currency) left is warned of.
    Null takes a cap or an account away, and leaves what is low to the site.
    """

    label: Name | None = None
    disabled: bool | None = None
    priority: Annotated[int, msgspec.Meta(ge=-1000, le=1000)] | None = None
    weight: Annotated[int, msgspec.Meta(ge=1, le=cooldown.MAX_WEIGHT)] | None = None
    max_concurrent: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | msgspec.UnsetType | None = msgspec.UNSET
    account: Name | msgspec.UnsetType | None = msgspec.UNSET
    low_balance_micros: Threshold | msgspec.UnsetType | None = msgspec.UNSET

    def named(self) -> KeyChange:
        fields = {name: getattr(self, name) for name in ("label", "disabled", "priority", "weight")}
        clearable = {name: getattr(self, name) for name in ("max_concurrent", "account", "low_balance_micros")}
        named = {name: value for name, value in fields.items() if value is not None}
        return cast("KeyChange", named | {name: v for name, v in clearable.items() if v is not msgspec.UNSET})


@blueprint.get("")
@require_permission("keys")
@returns(KeysReply)
def listed() -> KeysReply:
    """Every key, without its secret."""
    return keys_reply(key_admin_service.listed())


@blueprint.post("")
@require_permission("keys")
@require_proof
@accepts(AddKey)
@returns(KeyReply, 201)
def add(body: AddKey) -> KeyReply:
    """Keep a key and ask its provider for its models. The secret is not shown again."""
    return key_reply(key_admin_service.add(_actor(), NewKey(**msgspec.structs.asdict(body))))


@blueprint.patch("/<key_id>")
@require_permission("keys")
@require_proof
@accepts(ChangeKey)
@returns(KeyReply)
def change(key_id: str, body: ChangeKey) -> KeyReply:
    """Change a key's name, place, cap or account, switch it off or on."""
    return key_reply(key_admin_service.change(_actor(), key_id, **body.named()))


@blueprint.delete("/<key_id>")
@require_permission("keys")
@require_proof
@returns(None, 204)
def remove(key_id: str) -> None:
    """Forget a key. Its records stay in the ledger."""
    key_admin_service.delete(_actor(), key_id)


@blueprint.post("/<key_id>/test")
@require_permission("keys")
@returns(TrialReply)
def test(key_id: str) -> TrialReply:
    """Ask the provider which models this key may use. A list that the provider has already stays as it is."""
    return trial_reply(key_admin_service.test(_actor(), key_id))


@blueprint.delete("/<key_id>/bench")
@require_permission("keys")
@returns(KeyReply)
def clear_bench(key_id: str) -> KeyReply:
    """Have a benched key asked again at once."""
    return key_reply(key_admin_service.clear_bench(_actor(), key_id))


@blueprint.post("/<key_id>/balance")
@require_permission("keys")
@returns(KeyReply)
def read_balance(key_id: str) -> KeyReply:
    """Ask the provider what is left on the key's account. It is read every half an hour in any case."""
    return key_reply(key_admin_service.read_balance(_actor(), key_id))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
