"""Which models the people of a group may ask, from the next request on, wherever a model is named or chosen."""

import dataclasses
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import new_id, reading, transaction
from flask_app.domain.serving import BUNDLED_NAME
from flask_app.i18n import translate
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, ChatModel, Group, Message, Run, User
from tests.support import managing
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import HELLO, Program, made
from tests.support.scripted_upstream import ScriptedUpstream

GROUPS = "/api/admin/groups"
FLASH, PRO = "deepseek-flash", "deepseek-v4-pro"
JSON = {"Accept": "application/json"}


def keep_to(client: PageClient, names: list[str] | None, group_id: str = DEFAULT_GROUP_ID) -> Any:
    return client.put(f"{GROUPS}/{group_id}/access", json={"models": names})


def ask(client: PageClient, **body: Any) -> Any:
    return client.post("/api/chat", json={"message": "hello"} | body, headers=JSON)


def offered(client: PageClient) -> tuple[list[str], str]:
    told: Any = client.get("/api/models").json
    return [model["name"] for model in told["models"]], told["default"]


def asked(upstream: ScriptedUpstream) -> list[str]:
    return [chat.body["model"] for chat in upstream.journal.chats]


def test_its_people_see_and_ask_those_alone(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert offered(member_client) == ([FLASH, PRO], FLASH)
    assert keep_to(admin_client, [PRO]).json["models"] == [PRO]
    assert offered(member_client) == ([PRO], PRO)
    assert ask(member_client).status_code == 200
    assert ask(member_client, model=PRO).status_code == 200
    refused = ask(member_client, model=FLASH)
    assert (refused.status_code, error_code(refused)) == (403, "model_not_for_group")
    assert FLASH in refused.json["error"]["message"]
    assert (ask(member_client, model="nobody").status_code, asked(upstream)) == (422, [PRO, PRO])
    assert keep_to(admin_client, None).json["models"] is None
    assert ask(member_client, model=FLASH).status_code == 200


def test_no_way_of_asking_leads_around_it(
    app: Flask, admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    begun = ask(member_client, model=FLASH).json
    own, every = Program(app, made(member, models=[FLASH, PRO]).secret), Program(app, made(member).secret)
    keep_to(admin_client, [PRO])
    again = f"/api/messages/{begun['user_message_id']}/answers"
    temporary = {"messages": HELLO, "idempotency_key": new_id(), "model": FLASH}
    for refused in (
        member_client.post(again, json={"model": FLASH}),
        member_client.post("/api/temporary/answers", json=temporary),
        member_client.get(f"/api/models/input-cost?model={FLASH}&tokens=10"),
        member_client.post("/api/tokens", json={"name": "mine", "models": [FLASH]}),
    ):
        assert (refused.status_code, error_code(refused)) == (403, "model_not_for_group")
    for program in (own, every):
        for answer in (program.complete(), program.message(), program.respond(), program.go_on(), program.embed()):
            assert answer.status_code == 403
        assert program.complete().json["error"]["code"] == "model_not_allowed"  # type: ignore[index]
        assert program.complete(model=PRO).status_code == 200
        listed: Any = app.test_client().get("/v1/models", headers=program.headers).json
        assert [model["id"] for model in listed["data"]] == [PRO]
    assert asked(upstream) == [FLASH, PRO, PRO]


def test_a_conversation_goes_on_with_a_model_that_is_left(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    begun = ask(member_client, model=FLASH).json
    keep_to(admin_client, [PRO])
    thread: Any = member_client.get(f"/api/conversations/{begun['conversation_id']}").json
    assert (thread["goes_on_with"]["name"], thread["goes_on_with"]["instead_of"]) == (PRO, FLASH)
    with transaction() as session:
        run = session.scalars(select(Run).where(Run.user_message_id == begun["user_message_id"])).one()
        session.execute(update(Message).where(Message.id == run.message_id).values(status="interrupted"))
        run.status = "interrupted"
    assert member_client.post(f"/api/runs/{run.id}/continue", json={}, headers=JSON).status_code == 200
    assert asked(upstream) == [FLASH, PRO]


@pytest.mark.usefixtures("upstream")
def test_another_group_may_ask_others(
    admin_client: PageClient, member_client: PageClient, app: Flask, admin: User
) -> None:
    keep_to(admin_client, [PRO], managing.group("Class 3b"))
    assert offered(member_client)[1] == FLASH
    keep_to(admin_client, [PRO])
    assert offered(admin_client) == ([PRO], PRO), "administrators are of a group too"


@pytest.mark.usefixtures("upstream")
def test_a_model_that_is_gone_leaves_nobody_to_ask(admin_client: PageClient, member_client: PageClient) -> None:
    offered(member_client)
    with transaction() as session:
        session.execute(update(ChatModel).where(ChatModel.name == PRO).values(listed=False))
    keep_to(admin_client, [PRO])
    assert member_client.get("/api/models").json == {"models": [], "default": None, "keys_fail": False}
    refused = ask(member_client)
    assert (refused.status_code, error_code(refused)) == (503, "no_model_for_group")
    told: Any = member_client.get("/api/models").json
    assert told == {"models": [], "default": None, "keys_fail": False}
    for name in (None, PRO, FLASH, "nobody"):
        refused = ask(member_client, model=name)
        assert (refused.status_code, error_code(refused)) == (503, "no_model_for_group")
    assert translate("zh", "error.no_model_for_group") in member_client.get("/").text


@pytest.mark.usefixtures("upstream")
def test_the_case_of_a_name_makes_no_difference(admin_client: PageClient, member_client: PageClient) -> None:
    offered(member_client)
    keep_to(admin_client, [PRO])
    with transaction() as session:
        session.execute(update(ChatModel).where(ChatModel.name == PRO).values(name=PRO.upper()))
    assert offered(member_client) == ([PRO.upper()], PRO.upper())


def test_the_model_of_this_machine_is_closed_to_nobody_and_cannot_be_chosen(
    admin_client: PageClient, member_client: PageClient
) -> None:
    config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    ((name,), default) = offered(member_client)
    assert (name, default) == (BUNDLED_NAME, BUNDLED_NAME)
    assert error_code(keep_to(admin_client, [name])) == "unknown_model"
    assert name not in admin_client.get("/admin/groups").text
    with transaction() as session:
        session.execute(update(Group).values(models=f'["{PRO}"]'))
    assert offered(member_client)[1] == name


@pytest.mark.usefixtures("upstream")
def test_what_is_set_is_told_and_logged(admin_client: PageClient, member_client: PageClient, admin: User) -> None:
    offered(member_client)
    keep_to(admin_client, [PRO, FLASH, PRO])
    left: Any = admin_client.put(f"{GROUPS}/{DEFAULT_GROUP_ID}/access", json={}).json
    assert left["models"] == [FLASH, PRO], "what is not named stays"
    for names in ([], ["nobody"], ["m"] * 101, [""]):
        assert keep_to(admin_client, names).status_code == 422
    assert error_code(keep_to(admin_client, ["nobody"])) == "unknown_model"
    page = admin_client.get("/admin/groups").text
    assert page.count(f'value="{PRO}"') == 1
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "group.access"))
    assert json.loads(entry.details)["after"] == {"models": f"{FLASH}, {PRO}"}
    assert keep_to(member_client, None).status_code == 403
