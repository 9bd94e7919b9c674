"""Names that lead to another model: aliases, and models that are no longer offered."""

import pytest
from flask import Flask

from flask_app.database import transaction
from flask_app.errors import Invalid
from flask_app.models import ApiKey, ChatModel
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import model_admin_service, model_service
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

CONSOLE = Actor(None)


@pytest.fixture
def ids(app: Flask, upstream: ScriptedUpstream) -> dict[str, str]:
    """The models by name: two are offered, three are not."""
    offered = {model.name: model.id for model in model_service.available()}
    keep_provider("Gone", "https://gone.example.com", models=["old-1", "old-2", "old-3"])
    return offered | {status.model.name: status.model.id for status in model_admin_service.listed()}


def follow(ids: dict[str, str], name: str, successor: str | None, *aliases: str) -> None:
    successor_id = ids[successor] if successor else None
    model_admin_service.change(CONSOLE, ids[name], model_admin_service.Settings(successor_id, aliases, None))


def found(wanted: str) -> str:
    return model_service.find(wanted).name


def test_an_alias_stands_wherever_a_name_does(ids: dict[str, str]) -> None:
    follow(ids, "deepseek-v4-pro", None, "Smart 模型")
    assert found("Smart 模型") == found("sMART 模型") == "deepseek-v4-pro"
    follow(ids, "deepseek-v4-pro", None)
    with pytest.raises(Invalid, match="unknown_model"):
        model_service.find("Smart 模型")


def test_a_model_that_is_gone_leads_to_its_successor_else_to_the_default(ids: dict[str, str]) -> None:
    assert found("old-1") == found(ids["old-1"]) == "deepseek-flash"
    follow(ids, "old-1", "old-2")
    follow(ids, "old-2", "deepseek-v4-pro")
    assert found("old-1") == found("old-2") == "deepseek-v4-pro"
    follow(ids, "old-2", "old-3")
    assert found("old-1") == "deepseek-flash", "the last of the chain is gone as well"


def test_a_successor_that_another_provider_has_under_its_name_is_found(ids: dict[str, str]) -> None:
    follow(ids, "old-1", "old-2", "favourite")
    follow(ids, "old-2", "old-3")
    elsewhere = keep_provider("Elsewhere", "https://elsewhere.example.com", models=["Old-3"])
    keep_key(elsewhere, "elsewhere")
    assert [found(name) for name in ("old-1", "favourite", ids["old-3"])] == ["Old-3"] * 3
    nearer = keep_provider("Nearer", "https://nearer.example.com", models=["old-3", "old-2"], priority=-1)
    keep_key(nearer, "nearer")
    assert model_service.find("old-1").provider == "Nearer"
    assert found("old-1") == "old-2", "the first of the chain that is offered"


def test_an_alias_of_a_model_that_is_gone_leads_on(ids: dict[str, str]) -> None:
    with transaction() as session:
        session.get_one(ChatModel, ids["old-3"]).listed = False
    follow(ids, "old-1", "deepseek-v4-pro", "old-3", "favourite")
    assert found("favourite") == "deepseek-v4-pro"
    assert found("old-3") == "deepseek-v4-pro", "what an administrator says comes before a row that is gone"


def test_a_model_that_is_offered_is_itself_whatever_is_set(ids: dict[str, str]) -> None:
    follow(ids, "deepseek-flash", "deepseek-v4-pro")
    assert found("deepseek-flash") == "deepseek-flash"
    assert model_service.follower_of("deepseek-flash") is None


def test_who_follows_is_told_for_what_is_gone_and_for_what_nobody_knows(ids: dict[str, str]) -> None:
    follow(ids, "old-1", "deepseek-v4-pro")
    followers = {name: model_service.follower_of(name) for name in ("old-1", "old-2", "never heard of")}
    assert {name: model.name if model else None for name, model in followers.items()} == {
        "old-1": "deepseek-v4-pro",
        "old-2": "deepseek-flash",
        "never heard of": "deepseek-flash",
    }


def test_a_circle_in_the_table_ends_at_the_default(ids: dict[str, str]) -> None:
    with transaction() as session:
        for name, successor in (("old-1", "old-2"), ("old-2", "old-1")):
            session.get_one(ChatModel, ids[name]).successor_id = ids[successor]
    assert found("old-1") == "deepseek-flash"


def test_where_nothing_is_offered_nobody_follows(
    app: Flask, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_service, "_of_this_machine", lambda _: [])
    with transaction() as session:
        session.query(ApiKey).update({"disabled": True})
    assert model_service.follower_of("old-1") is None
