"""A site on which fuzzed requests are sent: one of all that an administrator can make, and how it is brought back."""

import dataclasses
import secrets
from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from flask_app.database import reading, utc_now, writing
from flask_app.models import (
    Announcement,
    ApiKey,
    ChatModel,
    Group,
    IdentityProvider,
    Provider,
    Setting,
    TokenUsage,
    ToolServer,
    User,
)
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, code_admin_service
from flask_app.services.people import managing_service, registration_settings, supervision_service
from flask_app.services.prompts import shared_prompts
from flask_app.services.site import announcement_service
from flask_app.services.site.announcement_service import Wanted
from tests.support import assisted, directory, drifts, identities, invited, prompted, registered, sharing, tooling
from tests.support.fuzzed_people import Person, Things
from tests.support.keys import keep_key, keep_provider
from tests.support.served import Served, Visitor

WITHOUT_LIMIT = {kind: {"amount": None} for kind in ("messages", "requests", "visits", "downloads")}
PRICES = {"input_hit": "0.5", "input_miss": "1", "output": "2"}


@dataclasses.dataclass
class Kept:
    """What requests of administrators may spoil so that nobody could ask any more: it is put back."""

    settings: list[dict[str, Any]]
    providers: list[str]

    @classmethod
    def now(cls) -> "Kept":
        with reading() as session:
            rows = [{"name": row.name, "value": row.value} for row in session.scalars(select(Setting))]
            return cls(rows, list(session.scalars(select(Provider.id))))

    def lift_rates(self) -> None:
        """Nobody is asked to wait any more."""
        (rates,) = [row for row in self.settings if row["name"] == "rates"]
        with writing() as connection:
            connection.execute(update(Setting).where(Setting.name == "rates").values(value=rates["value"]))
            connection.execute(update(Group).values(rates="{}"))

    def put_back(self, founder: str) -> None:
        with writing() as connection:
            connection.execute(delete(Setting))
            connection.execute(insert(Setting), self.settings)
            owns = {"role": "admin", "is_owner": True, "disabled": False}
            connection.execute(update(User).where(User.id == founder).values(**owns))
            connection.execute(update(ApiKey).values(disabled=False, benched_until=None, max_concurrent=None))
            connection.execute(update(ChatModel).values(successor_id=None))
            for table in (IdentityProvider, Announcement, ToolServer):  # there may be only so many
                connection.execute(delete(table))
        self.lift_rates()
        for listed in budget_admin_service.everything(utc_now()):
            budget_admin_service.delete(Actor(None), listed.standing.id)


def set_up(server: Served) -> None:
    """Whoever asks is not asked to wait, strangers may ask for an account, and links to conversations open."""
    server.set_up()
    reply = server.ask("PUT", "/api/admin/rates/site", WITHOUT_LIMIT)
    assert reply.status == 200, reply.data
    registration_settings.change(Actor(None), registration_settings.Terms(mode=registration_settings.APPROVAL))
    sharing.switch("anybody")


def group(owner: Visitor) -> str:
    return str(_made(owner, "/api/admin/groups", {"name": f"group {secrets.token_hex(6)}"})["id"])


def manage(group_id: str, manager: Person) -> None:
    """Somebody manages the group, which is supervised."""
    managing_service.appoint(Actor(None), group_id, [manager.name])
    supervision_service.switch(Actor(None), group_id, on=True)
    manager.things["managed_id"].append(group_id)


def things(owner: Visitor, upstream: str, people: list[Person], groups: list[str]) -> Things:
    """What belongs to nobody, by the name of a route's argument; `people` are those whom administrators may change."""
    mark, found = secrets.token_hex(6), defaultdict[str, list[str]](list)
    found["group_id"], found["user_id"] = [*groups, group(owner)], [person.id for person in people if person.id]
    found["access_token_id"] = [each for person in people for each in person.things["token_id"]]
    provider_id = keep_provider(f"provider {mark}", upstream, models=[f"model-{mark}"])
    found["provider_id"].append(provider_id)
    found["key_id"].append(keep_key(provider_id, f"key-{mark}", account=f"account-{mark}"))
    found["reconciliation_id"].append(drifts.kept(f"account-{mark}").id)
    found["invitation_id"].append(invited.made(f"class {mark}").listed.invitation.id)
    found["registration_id"].append(registered.asked(f"newcomer {mark}", f"192.0.2.{secrets.randbelow(255)}").id)
    provider = identities.provide("https://id.example.org", slug=f"school-{mark}").provider
    found["identity_provider_id"].append(provider.id)
    found["slug"].append(provider.slug)
    found["directory_id"].append(directory.provide_at("ldaps://127.0.0.1:9", f"campus-{mark}").provider.id)
    found["announcement_id"].append(announcement_service.add(Actor(None), Wanted(text="hello")).announcement.id)
    terms = code_admin_service.Terms(label=mark, count=2, unit="tokens", amount=5)
    batch = code_admin_service.make(Actor(None), terms).listed.batch
    found["batch_id"].append(batch.id)
    found["code_id"] = [each.code.id for each in code_admin_service.codes_of(batch.id).codes]
    words = dataclasses.replace(prompted.WORDS, command=f"sum-{mark}")
    found["shared_prompt_id"].append(shared_prompts.add(Actor(None), None, words).id)
    found["shared_assistant_id"].append(assisted.share(name=f"shared-{mark}").id)
    found["tool_server_id"].append(tooling.added(name=f"tools-{mark}").server.id)
    found["anybodys_share_id"] = [each for person in people for each in person.things["share_id"]]
    found["name"] += ["deepseek-flash", f"model-{mark}"]
    _add_prices(owner, mark, found)
    return found


def _add_prices(owner: Visitor, mark: str, found: Things) -> None:
    starts = (utc_now() + timedelta(days=365)).isoformat()
    price = {"model": f"model-{mark}", "currency": "CNY", "prices": PRICES, "starts_at": starts}
    reply = _made(owner, "/api/admin/tariffs", price)
    found["tariff_id"] += ids_of(reply)
    budget = {"scope": "user", "scope_id": found["user_id"][-1], "unit": "tokens", "period": "week", "limit": 10**9}
    found["budget_id"].append(_made(owner, "/api/admin/budgets", budget)["id"])
    with reading() as session:
        named = {"model_id": ChatModel.id, "record_id": TokenUsage.id}
        for name, column in named.items():
            found[name] += list(session.scalars(select(column).order_by(column.desc()).limit(5)))


def _made(owner: Visitor, path: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = owner.post(path, body)
    assert reply.status == 201, (path, reply.data)
    made: dict[str, Any] = reply.json()
    return made


def ids_of(value: Any) -> list[str]:
    """Every `id` in a reply."""
    if isinstance(value, dict):
        own = [value["id"]] if isinstance(value.get("id"), str) else []
        return own + [each for inner in value.values() for each in ids_of(inner)]
    return [each for inner in value for each in ids_of(inner)] if isinstance(value, list) else []
