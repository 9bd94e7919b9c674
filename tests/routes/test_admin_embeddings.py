"""PUT /api/admin/models/embeddings: which model makes the vectors that documents are searched with."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.models import AuditEntry, ChatModel, Provider, Setting
from flask_app.services.audit.audit_service import Actor
from flask_app.services.embedding import embedding_setting
from flask_app.services.providers import model_service
from tests.support import meant
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_provider
from tests.support.scripted_upstream import Embedded, ScriptedUpstream, Status
from tests.support.upstream_embeddings import EMBEDDINGS

PATH, MODELS = "/api/admin/models/embeddings", "/api/admin/models"


@pytest.fixture
def model_id(upstream: ScriptedUpstream) -> str:
    upstream.script(Embedded(means=meant.means), path=EMBEDDINGS, always=True)
    return model_service.available()[0].id


def put(client: PageClient, model_id: object) -> Any:
    return client.put(PATH, json={"model_id": model_id})


def made_by(client: PageClient) -> Any:
    return client.get(MODELS).json["embeddings_by"]  # type: ignore[index]


def test_nobody_makes_them_until_a_model_is_chosen_and_when_it_is_taken_back(
    admin_client: PageClient, model_id: str
) -> None:
    assert made_by(admin_client) is None
    assert put(admin_client, model_id).json["embeddings_by"] == model_id
    assert made_by(admin_client) == model_id
    assert put(admin_client, None).json["embeddings_by"] is None
    put(admin_client, None)
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id)).all()
    assert {(entry.action, entry.target) for entry in entries} == {("embeddings.change", "embeddings")}
    told = [json.loads(entry.details) for entry in entries]
    names = [(each["before"]["model"], each["after"]["model"]) for each in told]
    assert names == [(None, "deepseek-flash"), ("deepseek-flash", None)]


def test_nobody_makes_them_in_the_place_of_one_that_cannot_be_asked(admin_client: PageClient, model_id: str) -> None:
    keep_provider("Without a key", "https://elsewhere.example.com", models=["elsewhere-1"])
    with reading() as session:
        there = session.scalars(select(ChatModel.id).where(ChatModel.name == "elsewhere-1")).one()
    refused = put(admin_client, there)
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "model_cannot_be_asked")
    assert "elsewhere-1" in refused.json["error"]["message"]
    embedding_setting.choose(Actor(None), there)
    assert embedding_setting.model() is None
    put(admin_client, model_id)
    found = embedding_setting.model()
    assert found
    assert found.id == model_id
    change_key("environment", disabled=True)
    assert embedding_setting.model() is None


@pytest.mark.parametrize("wanted", ["x", "", "编号", "deepseek-flash", "default", "new"])
def test_an_unknown_model_is_refused(admin_client: PageClient, model_id: str, wanted: str) -> None:
    put(admin_client, model_id)
    response = put(admin_client, new_id() if wanted == "new" else wanted)
    assert (response.status_code, response.json["error"]["code"]) == (422, "unknown_model")
    assert made_by(admin_client) == model_id, "the choice stays"


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
    assert admin_client.put(PATH, json=body).status_code in {400, 422}
    assert made_by(admin_client) is None


def test_only_administrators_choose(client: PageClient, member_client: PageClient, model_id: str) -> None:
    for browser, status in ((client, 401), (member_client, 403)):
        assert put(browser, model_id).status_code == status
    assert embedding_setting.chosen() is None


def test_a_model_that_is_gone_is_no_choice(admin_client: PageClient, model_id: str) -> None:
    with transaction() as session:
        session.add(Setting(name=embedding_setting.NAME, value=new_id()))
    assert made_by(admin_client) is None
    assert embedding_setting.model() is None


def test_it_is_chosen_from_a_terminal(app: Flask, admin_client: PageClient, model_id: str) -> None:
    def run(*arguments: str) -> Any:
        return app.test_cli_runner().invoke(args=["models", "embeddings", *arguments])

    assert run().output == "words alone\n"
    by = ("--user", "admin")
    assert run("deepseek-flash").exit_code == 2, "whom is it booked to?"
    assert run("deepseek-flash", *by).output == "deepseek-flash\n"
    assert embedding_setting.chosen() == model_id
    assert [entry.model for entry in meant.entries()] == ["deepseek-flash"]
    assert run("nobody", *by).exit_code == 1
    assert run().output == "deepseek-flash\n", "to look changes nothing"
    assert embedding_setting.chosen() == model_id
    for word in ("off", "none"):
        embedding_setting.choose(Actor(None), model_id)
        assert run(word).output == "words alone\n"
        assert embedding_setting.chosen() is None


def test_one_that_makes_none_is_refused_from_a_terminal(
    app: Flask, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Status(404), path=EMBEDDINGS, always=True)
    model_service.available()
    refused = app.test_cli_runner().invoke(args=["models", "embeddings", "deepseek-v4-pro", "--user", "admin"])
    assert (refused.exit_code, "makes no vectors" in refused.output) == (1, True)
    assert embedding_setting.chosen() is None


def test_which_models_a_group_may_ask_does_not_matter(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    """Programs and people of the group are kept from the model that makes vectors."""
    meant.switch_on(upstream)
    book = meant.book(member_client)
    groups: Any = admin_client.get("/api/admin/groups").json
    path = f"/api/admin/groups/{groups['groups'][0]['id']}/access"
    assert admin_client.put(path, json={"models": ["deepseek-flash"]}).status_code == 200
    assert meant.search(member_client, book).status_code == 200
    assert meant.found_by() == ["meaning"]
