"""PUT /api/admin/models/titles: which model writes the titles of conversations."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.models import AuditEntry, ChatModel, Provider, Setting
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.people import setup_service
from flask_app.services.providers import model_service
from tests.conftest import PASSWORD
from tests.support.clients import PageClient
from tests.support.keys import keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

PATH, MODELS = "/api/admin/models/titles", "/api/admin/models"


@pytest.fixture
def model_id(upstream: ScriptedUpstream) -> str:
    return model_service.available()[0].id


def put(client: PageClient, model_id: object) -> Any:
    return client.put(PATH, json={"model_id": model_id})


def titles_by(client: PageClient) -> Any:
    return client.get(MODELS).json["titles_by"]  # type: ignore[index]


def test_nobody_writes_them_until_a_model_is_chosen_and_when_it_is_taken_back(
    admin_client: PageClient, model_id: str
) -> None:
    assert titles_by(admin_client) is None
    reply = put(admin_client, model_id).json
    assert (reply["titles_by"], len(reply["models"])) == (model_id, 2)
    assert titles_by(admin_client) == model_id
    assert '"titles":true' in admin_client.get("/").get_data(as_text=True)
    assert put(admin_client, None).json["titles_by"] is None
    assert titles_by(admin_client) is None
    assert '"titles":false' in admin_client.get("/").get_data(as_text=True)


def test_the_model_that_new_chats_begin_with_may_be_meant(admin_client: PageClient, model_id: str) -> None:
    assert put(admin_client, "default").json["titles_by"] == "default"
    assert '"titles":true' in admin_client.get("/").get_data(as_text=True)


def test_a_site_that_is_set_up_begins_with_it(client: PageClient, upstream: ScriptedUpstream) -> None:
    body = {"code": setup_service.code(), "username": "founder", "password": PASSWORD}
    reply = client.post("/api/setup", json=body)
    assert reply.status_code == 201, reply.text
    assert title_setting.chosen() == title_setting.DEFAULT


def test_a_choice_that_is_there_already_outlives_the_set_up(client: PageClient, upstream: ScriptedUpstream) -> None:
    title_setting.choose(Actor(None), None)
    client.post("/api/setup", json={"code": setup_service.code(), "username": "founder", "password": PASSWORD})
    assert title_setting.chosen() is None


def test_it_is_written_down_who_chose(admin_client: PageClient, model_id: str) -> None:
    put(admin_client, model_id)
    put(admin_client, None)
    assert changes() == [(None, "deepseek-flash"), ("deepseek-flash", None)]


def test_it_is_written_down_that_the_model_of_new_chats_was_chosen_and_taken_back(
    admin_client: PageClient, model_id: str
) -> None:
    with transaction() as session:
        title_setting.begin(session)
    for wanted in ("default", None, None, "default", model_id, "default"):
        assert put(admin_client, wanted).status_code == 200
    told = [("default", None), (None, "default"), ("default", "deepseek-flash"), ("deepseek-flash", "default")]
    assert changes() == told, "what was so already is no change"


def test_two_models_of_one_name_are_told_apart_by_their_providers(admin_client: PageClient) -> None:
    here, there, namesake = (same_name(provider) for provider in ("Here", "There", "There"))
    for wanted in (here, there, namesake):
        put(admin_client, wanted)
    assert changes() == [(None, "m"), ("m (Here)", "m (There)"), (there, namesake)]


def test_one_that_is_gone_is_told_by_its_id(admin_client: PageClient) -> None:
    with transaction() as session:
        session.add(Setting(name=title_setting.NAME, value=(gone := new_id())))
    put(admin_client, None)
    assert changes() == [(gone, None)]


def same_name(provider: str) -> str:
    """A model "m" of another provider; gives its id."""
    provider_id = keep_provider(provider, "https://elsewhere.example.com", models=["m"])
    with reading() as session:
        return session.scalars(select(ChatModel.id).where(ChatModel.provider_id == provider_id)).one()


def changes() -> list[tuple[str | None, str | None]]:
    """What the audit log tells, as it was and as it is."""
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id)).all()
    assert {(entry.action, entry.target) for entry in entries} == {("titles.change", "titles")}
    told = [json.loads(entry.details) for entry in entries]
    return [(each["before"]["model"], each["after"]["model"]) for each in told]


def test_one_that_is_not_offered_just_now_may_be_chosen(admin_client: PageClient, model_id: str) -> None:
    provider = keep_provider("Without a key", "https://elsewhere.example.com", models=["elsewhere-1"])
    with reading() as session:
        there = session.scalars(select(ChatModel.id).where(ChatModel.provider_id == provider)).one()
    assert put(admin_client, there).json["titles_by"] == there


@pytest.mark.parametrize("wanted", ["x", "", "编号", "deepseek-flash", "new"])
def test_an_unknown_model_is_refused(admin_client: PageClient, model_id: str, wanted: str) -> None:
    put(admin_client, model_id)
    response = put(admin_client, new_id() if wanted == "new" else wanted)
    assert (response.status_code, response.json["error"]["code"]) == (422, "unknown_model")
    assert titles_by(admin_client) == model_id, "the choice stays"


def test_the_local_model_cannot_be_chosen(admin_client: PageClient, model_id: str) -> None:
    local = Provider(kind="local", name="MingChat", base_url="")
    with transaction() as session:
        session.add(local)
        session.flush()
        model = ChatModel(provider_id=local.id, name="small", label="small")
        session.add(model)
    assert put(admin_client, model.id).status_code == 422


@pytest.mark.parametrize("body", [{}, {"model_id": 7}, {"model_id": "x" * 65}, {"model_id": None, "more": 1}, [], None])
def test_a_bad_body_is_refused(admin_client: PageClient, model_id: str, body: object) -> None:
    put(admin_client, model_id)
    assert admin_client.put(PATH, json=body).status_code in {400, 422}
    assert titles_by(admin_client) == model_id


def test_only_administrators_choose(client: PageClient, member_client: PageClient, model_id: str) -> None:
    for browser, status in ((client, 401), (member_client, 403)):
        assert put(browser, model_id).status_code == status
    assert title_setting.chosen() is None


def test_a_model_that_is_gone_is_no_choice(admin_client: PageClient, model_id: str) -> None:
    with transaction() as session:
        session.add(Setting(name=title_setting.NAME, value=new_id()))
    assert titles_by(admin_client) is None
