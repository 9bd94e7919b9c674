"""A model is tried before documents are searched with it, and then it is no model of the chat."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from flask_app.database import transaction
from flask_app.models import Tariff, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.embedding import embedding_setting
from flask_app.services.operations import doctor_embeddings
from flask_app.services.operations.finding import GOOD, WARNING
from flask_app.services.providers import environment_key, model_lists, model_service
from tests.support import meant
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import Embedded, ScriptedUpstream, Status
from tests.support.upstream_embeddings import EMBEDDINGS

PATH = "/api/admin/models/embeddings"


@pytest.fixture
def lister(upstream: ScriptedUpstream) -> Iterator[ScriptedUpstream]:
    """The provider, whose list may be changed."""
    listed = upstream.models
    yield upstream
    upstream.models = listed


def put(client: PageClient, model_id: str | None) -> Any:
    return client.put(PATH, json={"model_id": model_id})


def offered(client: PageClient) -> tuple[list[str], str]:
    told: Any = client.get("/api/models").json
    return [model["name"] for model in told["models"]], told["default"]


def test_one_vector_is_asked_for_and_booked_before_a_model_is_chosen(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Embedded(means=meant.means), path=EMBEDDINGS)
    assert put(admin_client, meant.model_id()).status_code == 200
    (asked,) = meant.requests(upstream)
    assert asked.body["input"] == ["word"]
    (entry,) = meant.entries()
    assert (entry.model, entry.prompt_tokens) == ("deepseek-v4-pro", 7)
    assert put(admin_client, None).status_code == 200
    assert len(meant.requests(upstream)) == 1, "off needs no trial"


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (Status(404), 422, "makes_no_vectors"),
        (Status(400), 422, "makes_no_vectors"),
        (Embedded(junk=b"no JSON"), 422, "makes_no_vectors"),
        (Status(401), 502, "upstream_key_refused"),
    ],
)
def test_one_that_gives_none_is_not_chosen(
    admin_client: PageClient, upstream: ScriptedUpstream, script: Any, status: int, code: str
) -> None:
    upstream.script(script, path=EMBEDDINGS, always=True)
    response = put(admin_client, meant.model_id())
    assert (response.status_code, response.json["error"]["code"]) == (status, code)
    assert embedding_setting.chosen() is None


def test_the_chosen_one_is_no_model_of_the_chat(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = model_service.available()[0]
    assert offered(member_client) == (["deepseek-flash", "deepseek-v4-pro"], "deepseek-flash")
    embedding_setting.choose(Actor(None), first.id)
    assert offered(member_client) == (["deepseek-v4-pro"], "deepseek-v4-pro")
    for wanted in (None, first.id, first.name):
        assert model_service.find(wanted).name == "deepseek-v4-pro"
    assert model_service.find(first.name, with_vectors=True).id == first.id, "programs may ask it"
    listed: Any = admin_client.get("/api/admin/models").json
    assert {each["name"]: each["offered"] for each in listed["models"]}[first.name]
    embedding_setting.choose(Actor(None), None)
    assert offered(member_client)[1] == "deepseek-flash"


def test_programs_may_ask_the_chosen_one(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    program = Program(app, made(member).secret)
    embedding_setting.choose(Actor(None), model_service.available()[0].id)
    upstream.script(Embedded(), path=EMBEDDINGS)
    assert program.embed("hello").status_code == 200
    assert upstream.journal.last.body["model"] == "deepseek-flash"
    listed: Any = program.get("/v1/models").get_json()
    assert "deepseek-flash" in [each["id"] for each in listed["data"]]


def test_new_chats_begin_with_no_model_that_is_for_search_by_its_name(
    member_client: PageClient, lister: ScriptedUpstream
) -> None:
    lister.models = ["bge-m3", "deepseek-flash"]
    assert offered(member_client) == (["deepseek-flash", "bge-m3"], "deepseek-flash")
    assert model_service.find(None).name == "deepseek-flash"
    assert model_service.find("bge-m3").name == "bge-m3", "it may be chosen"
    lister.models = ["bge-m3"]
    model_lists.sync(stored_key(environment_key.ID).provider_id)
    assert model_service.find(None).name == "bge-m3", "where there is no other"


def test_the_doctor_says_why_the_chosen_one_makes_none(app: Flask, lister: ScriptedUpstream) -> None:
    def found() -> tuple[str, str]:
        (finding,) = doctor_embeddings.vectors()
        return finding.level, finding.what

    model = model_service.available()[1]
    assert list(doctor_embeddings.vectors()) == []
    embedding_setting.choose(Actor(None), model.id)
    what = "documents by meaning: deepseek-v4-pro of DeepSeek"
    assert found() == (GOOD, what)
    with transaction() as session:
        session.execute(delete(Tariff).where(Tariff.model == model.name))
    assert found() == (WARNING, f"{what}, without a price")
    assert f"{what}, without a price" in app.test_cli_runner().invoke(args=["doctor"]).output
    change_key("environment", disabled=True)
    assert found() == (WARNING, f"{what}, of which no key can be asked")
    change_key("environment", disabled=False)
    lister.models = ["deepseek-flash"]
    model_lists.sync(model.provider_id)
    assert found() == (WARNING, f"{what}, which its provider lists no more")


def test_a_provider_whose_only_model_makes_vectors_leaves_the_chat_none(app: Flask, lister: ScriptedUpstream) -> None:
    """The keys work: that they do not is not what is said."""
    lister.models = ["bge-m3"]
    only = model_service.available()[0]
    embedding_setting.choose(Actor(None), only.id)
    assert [model.name for model in model_service.available() if not model.local] == []
    keep_key(keep_provider("Elsewhere", "https://elsewhere.example.com", models=["elsewhere-1"]), "elsewhere")
    assert model_service.find(only.id).name == "elsewhere-1"
