"""Pages of lists ask the database as often for many rows as for a few."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import insert

from flask_app.database import table_of, utc_now, writing
from flask_app.models import ProgramRequest, User
from flask_app.services.assistants import own_assistants
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, code_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.code_admin_service import Terms
from flask_app.services.people import group_service
from flask_app.services.prompts import own_prompts, shared_prompts
from flask_app.services.prompts.prompt_terms import Wanted as Prompt
from flask_app.services.site import announcement_service, rate_admin_service
from flask_app.services.site.announcement_service import Wanted
from tests.support import (
    assisted,
    authenticator,
    directory,
    gateway,
    identities,
    invited,
    ledger,
    lettered,
    managing,
    passkeys,
    registered,
    requests,
    sharing,
    talks,
)
from tests.support.clients import PageClient
from tests.support.keys import keep_key, keep_provider

HOUSE = Actor(None)
OF_ADMINISTRATORS = (
    *("/admin", "/admin/users", "/admin/groups", "/admin/limits", "/admin/budgets", "/admin/codes", "/admin/tokens"),
    *("/admin/keys", "/admin/models", "/admin/records", "/admin/requests", "/admin/audit", "/admin/settings"),
    *("/admin/shares", "/admin/prompts", "/admin/assistants", "/admin/tools"),
    *("/api/admin/rates", "/api/admin/users?state=waiting", "/admin/reconciliation"),
)
OF_A_MANAGER = (
    "/managed/{group}",
    "/prompts",
    "/assistants",
    "/tokens",
    "/tokens/requests",
    "/dashboard",
    "/account",
    "/",
)


@pytest.fixture
def group(member: User) -> str:
    """One that the member manages."""
    return managing.group("their class", member.username)


def fill(group_id: str, manager: User, name: str) -> None:
    """One more of everything that these pages list, called so."""
    person = managing.member(group_id, f"member {name}")
    passkeys.keep(person.id)
    authenticator.turn_on(person)
    another = managing.group(f"group {name}", manager.username, person.username)
    lettered.keep(managing.invitation(group_id))
    lettered.keep(invited.made(f"invitation {name}").listed.invitation.id)
    registered.waiting(f"newcomer {name}", f"192.0.2.{len(group_service.listed())}")
    identities.provide(f"https://{name}.example.org", slug=f"school-{name}")
    directory.provide_at("ldaps://127.0.0.1:9", slug=f"directory-{name}")
    announcement_service.add(HOUSE, Wanted(text=f"announcement {name}"))
    rate_admin_service.set_group(HOUSE, another, {"messages": None})
    for place in (
        Place(scope="group", scope_id=another, period="day"),
        Place(scope="user", scope_id=person.id, period="day"),
    ):
        budget_admin_service.add(HOUSE, place, 1000)
    code_admin_service.make(HOUSE, Terms(label=f"codes {name}", count=2, unit="tokens", amount=5))
    prompt = Prompt(name, f"prompt {name}", "text")
    own_prompts.add(manager, prompt)
    own_assistants.add(manager, {"name": name, "icon": "", "instructions": "words"})
    for whose in (None, another):
        shared_prompts.add(HOUSE, whose, prompt)
        assisted.share(whose, name=name)
    sharing.keep(manager, talks.branched(manager, title=f"talk {name}").id, title=f"talk {name}")
    token = gateway.made(manager, name).token
    provider = keep_provider(f"provider {name}", f"https://{name}.example.com", models=[f"model-{name}"])
    keep_key(provider, f"key-{name}", benched_until=utc_now(), bench_code="upstream_busy")
    entries = {"channel": "api", "token_id": token.id}
    ledger.write(
        [ledger.entry(manager.id, utc_now(), **entries), ledger.entry(person.id, utc_now(), model=f"model-{name}")]
    )
    with writing() as connection:
        row = requests.row(user_id=manager.id, token_id=token.id)
        connection.execute(insert(table_of(ProgramRequest)), row)


def test_the_number_of_queries_does_not_grow(
    admin_client: PageClient,
    member: User,
    member_client: PageClient,
    group: str,
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    asked = [(admin_client, path) for path in OF_ADMINISTRATORS]
    asked += [(member_client, path.format(group=group)) for path in OF_A_MANAGER]

    def counted() -> dict[str, int]:
        found = {}
        for client, path in asked:
            assert client.get(path).status_code == 200, path
            with query_count() as statements:
                length = len(client.get(path).data)
            found[path] = len(statements)
            lengths.setdefault(path, []).append(length)
        return found

    lengths: dict[str, list[int]] = {}
    fill(group, member, "first")
    few = counted()
    for number in range(4):
        fill(group, member, f"more-{number}")
    assert counted() == few
    assert not [path for path, (before, after) in lengths.items() if after <= before], "there was more to show"
    assert min(few.values()) > 0
