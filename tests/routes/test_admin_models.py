"""/api/admin/models: other names for models, and who follows one that is gone."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.models import AuditEntry, ChatModel, ModelAlias
from flask_app.services.providers import model_service
from tests.support.clients import PageClient
from tests.support.keys import keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

MODELS = "/api/admin/models"


@pytest.fixture
def ids(upstream: ScriptedUpstream) -> dict[str, str]:
    """The models by name; "old" is no longer offered."""
    model_service.available()
    keep_provider("Gone", "https://gone.example.com", models=["old"])
    with reading() as session:
        return {model.name: model.id for model in session.scalars(select(ChatModel))}


def put(client: PageClient, model_id: str, **fields: Any) -> Any:
    return client.put(f"{MODELS}/{model_id}", json={"successor_id": None, "aliases": []} | fields)


def code_of(response: Any) -> str:
    return str(response.json["error"]["code"])


def ask(client: PageClient, **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": "hello"} | fields, headers={"Accept": "application/json"}).json


def test_the_models_are_listed_with_those_offered_first(admin_client: PageClient, ids: dict[str, str]) -> None:
    models = admin_client.get(MODELS).json["models"]  # type: ignore[index]
    assert [(model["name"], model["offered"]) for model in models] == [
        ("deepseek-flash", True),
        ("deepseek-v4-pro", True),
        ("old", False),
    ]
    assert models[2] == {
        "id": ids["old"],
        "name": "old",
        "provider": "Gone",
        "listed": True,
        "offered": False,
        "context_tokens": None,
        "sees": False,
        "successor_id": None,
        "aliases": [],
    }


def test_names_and_successor_are_set_and_taken_away(admin_client: PageClient, ids: dict[str, str]) -> None:
    response = put(admin_client, ids["old"], successor_id=ids["deepseek-v4-pro"], aliases=[" Fast ", "", "fast", "b"])
    changed = response.json["models"][2]
    assert (changed["successor_id"], changed["aliases"]) == (ids["deepseek-v4-pro"], ["b", "fast"])
    assert put(admin_client, ids["old"], aliases=["B"]).json["models"][2]["aliases"] == ["B"]
    assert put(admin_client, ids["old"]).json["models"][2]["successor_id"] is None
    with reading() as session:
        assert session.scalars(select(ModelAlias)).all() == []
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["model.change"] * 3
    assert json.loads(entries[0].details) == {
        "name": "old",
        "before": {"successor": None, "aliases": []},
        "after": {"successor": "deepseek-v4-pro", "aliases": ["b", "fast"]},
    }


def test_a_successor_of_the_same_name_is_another_one(admin_client: PageClient, ids: dict[str, str]) -> None:
    for provider in ("Here", "There"):
        keep_provider(provider, "https://elsewhere.example.com", models=["m"])
    with reading() as session:
        here, there = session.scalars(select(ChatModel.id).where(ChatModel.name == "m").order_by(ChatModel.id))
    for successor_id in (here, there):
        assert put(admin_client, ids["old"], successor_id=successor_id).status_code == 200
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [json.loads(entry.details) for entry in entries] == [
        {"name": "old", "before": {"successor": None}, "after": {"successor": "m"}},
        {"name": "old", "before": {"successor": "m (Here)"}, "after": {"successor": "m (There)"}},
    ]


def test_a_conversation_with_a_model_that_is_gone_opens_and_goes_on(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream, ids: dict[str, str]
) -> None:
    answer = ask(member_client, model="deepseek-flash")
    path = f"/api/conversations/{answer['conversation_id']}"
    assert member_client.get(path).json["goes_on_with"] is None  # type: ignore[index]
    put(admin_client, ids["deepseek-flash"], successor_id=ids["deepseek-v4-pro"])
    with transaction() as session:
        session.get_one(ChatModel, ids["deepseek-flash"]).listed = False
    assert member_client.get(path).json["goes_on_with"] == {  # type: ignore[index]
        "id": ids["deepseek-v4-pro"],
        "name": "deepseek-v4-pro",
        "label": "deepseek-v4-pro",
        "instead_of": "deepseek-flash",
    }
    again = ask(member_client, model="deepseek-flash", conversation_id=answer["conversation_id"])
    assert (again["status"], again["model"]) == ("complete", "deepseek-v4-pro")
    assert upstream.journal.last.model == "deepseek-v4-pro"
    assert member_client.get(path).json["goes_on_with"] is None  # type: ignore[index]


def test_a_message_may_name_an_alias(admin_client: PageClient, member_client: PageClient, ids: dict[str, str]) -> None:
    put(admin_client, ids["deepseek-v4-pro"], aliases=["smart"])
    assert ask(member_client, model="SMART")["model"] == "deepseek-v4-pro"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"aliases": ["a\nb"]}, "bad_alias"),
        ({"aliases": ["x" * 129]}, "bad_alias"),
        ({"aliases": ["ß" * 100]}, "bad_alias"),
        ({"aliases": [str(number) for number in range(21)]}, "too_many_aliases"),
        ({"successor_id": "x"}, "bad_successor"),
        ({"successor_id": ""}, "bad_successor"),
        ({"aliases": None}, "invalid_field"),
        ({"aliases": "fast"}, "invalid_field"),
        ({"aliases": ["a"] * 101}, "invalid_field"),
        ({"listed": True}, "invalid_field"),
    ],
)
def test_a_bad_change_is_refused(
    admin_client: PageClient, ids: dict[str, str], fields: dict[str, Any], code: str
) -> None:
    response = put(admin_client, ids["old"], **fields)
    assert (response.status_code, code_of(response)) == (422, code)
    with reading() as session:
        assert session.scalars(select(ModelAlias)).all() == []


def test_a_name_leads_to_one_model_only(admin_client: PageClient, ids: dict[str, str]) -> None:
    put(admin_client, ids["old"], aliases=["fast"])
    for name in ("FAST", "DeepSeek-V4-Pro", "deepseek-flash"):
        response = put(admin_client, ids["deepseek-flash"], aliases=[name])
        assert (response.status_code, code_of(response)) == (409, "alias_taken"), name


def test_a_model_cannot_follow_itself(admin_client: PageClient, ids: dict[str, str]) -> None:
    assert code_of(put(admin_client, ids["old"], successor_id=ids["old"])) == "bad_successor"
    put(admin_client, ids["old"], successor_id=ids["deepseek-flash"])
    assert code_of(put(admin_client, ids["deepseek-flash"], successor_id=ids["old"])) == "bad_successor"


def test_the_number_of_queries_does_not_grow_with_the_models(
    admin_client: PageClient, ids: dict[str, str], query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    admin_client.get(MODELS)
    with query_count() as few:
        admin_client.get(MODELS)
    keep_provider("Many", "https://many.example.com", models=[f"model-{number}" for number in range(30)])
    with query_count() as many:
        assert len(admin_client.get(MODELS).json["models"]) == 33  # type: ignore[index]
    assert len(many) == len(few)


@pytest.mark.parametrize(("method", "path"), [("get", MODELS), ("put", f"{MODELS}/x")])
def test_only_administrators_reach_the_models(
    client: PageClient, member_client: PageClient, ids: dict[str, str], method: str, path: str
) -> None:
    for browser, status in ((client, 401), (member_client, 403)):
        response = getattr(browser, method)(path, json={"successor_id": None, "aliases": ["x"]})
        assert response.status_code == status


@pytest.mark.parametrize("model_id", ["x", "编号", "01" * 13])
def test_an_absent_model_is_not_found(admin_client: PageClient, ids: dict[str, str], model_id: str) -> None:
    assert put(admin_client, model_id).status_code == put(admin_client, new_id()).status_code == 404
