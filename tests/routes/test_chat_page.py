"""What the chat page starts with, and what it says about the keys."""

import dataclasses
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_app import config
from flask_app.database import reading, utc_now
from flask_app.i18n import translate
from flask_app.models import User
from flask_app.services.tariffs import tariff_service
from tests.support.called import SKY, Weather, offered
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream


@pytest.fixture(autouse=True)
def no_demonstration(upstream: ScriptedUpstream) -> None:
    config.install(dataclasses.replace(config.current(), local_model_path=Path("/nowhere/model.gguf")))


def page_of(client: PageClient) -> str:
    return client.get("/", headers={"Accept-Language": "en"}).text


def state_of(client: PageClient, path: str) -> Any:
    found = re.search(r'id="chat-state">(.*?)</script>', client.get(path).text, re.S)
    assert found
    return json.loads(found[1])


def test_a_conversations_page_comes_with_what_its_api_says(
    upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    upstream.script(Answer("</script><b>bold</b>"))
    made = member_client.post("/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"}).json
    assert made
    path = f"/c/{made['conversation_id']}"
    thread = state_of(member_client, path)["thread"]
    assert thread == member_client.get(f"/api/conversations/{made['conversation_id']}").json
    assert [message["text"] for message in thread["messages"]] == ["hello", "</script><b>bold</b>"]
    assert state_of(member_client, "/")["thread"] is None


def test_the_page_comes_with_the_budgets_that_concern_the_person(
    upstream: ScriptedUpstream, member_client: PageClient, admin_client: PageClient, member: User
) -> None:
    assert state_of(member_client, "/")["budgets"] == []
    body = {"scope": "user", "scope_id": member.id, "period": "day", "limit": 1000}
    assert admin_client.post("/api/admin/budgets", json=body).status_code == 201
    said = state_of(member_client, "/")["budgets"]
    assert [budget["left"] for budget in said] == [1000]
    assert said == member_client.get("/api/budgets").json["budgets"]  # type: ignore[index]
    assert state_of(admin_client, "/")["budgets"] == []


def test_where_all_keys_fail_the_page_says_so_and_shows_administrators_where_to_look(
    upstream: ScriptedUpstream, member_client: PageClient, admin_client: PageClient
) -> None:
    upstream.keys = set()
    member_page, admin_page = page_of(member_client), page_of(admin_client)
    for page in (member_page, admin_page):
        assert translate("en", "chat.keys_fail") in page
        assert f">{translate('en', 'chat.add_key')}<" not in page
    assert translate("en", "chat.admin_sees_keys") in member_page
    assert f'<a href="/admin/keys">{translate("en", "chat.see_keys")}</a>' in admin_page
    assert admin_client.get("/api/admin/overview").json["keys_fail"] is True  # type: ignore[index]
    refused = member_client.post("/api/chat", json={"message": "hello"})
    assert (refused.status_code, error_code(refused)) == (503, "no_working_key")


def test_where_a_key_works_the_page_says_nothing(upstream: ScriptedUpstream, admin_client: PageClient) -> None:
    page = page_of(admin_client)
    assert '"keys_fail":false' in page
    assert translate("en", "chat.keys_fail") not in page


def test_without_any_key_one_is_wanted(member_client: PageClient) -> None:
    config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    assert translate("en", "chat.keys_fail") not in page_of(member_client)
    assert error_code(member_client.post("/api/chat", json={"message": "hello"})) == "no_model"


@pytest.mark.parametrize("whose", ["nobody's", "a stranger's"])
def test_a_conversation_that_is_not_there_is_told_on_the_page_of_a_new_one(
    upstream: ScriptedUpstream, member_client: PageClient, admin_client: PageClient, whose: str
) -> None:
    made = admin_client.post("/api/chat", json={"message": "secret"}, headers={"Accept": "application/json"}).json
    assert made
    path = f"/c/{made['conversation_id']}" if whose == "a stranger's" else "/c/01ARZ3NDEKTSV4RRFFQ69G5FAV"
    page = member_client.get(path)
    assert page.status_code == 404
    assert "secret" not in page.text
    state = state_of(member_client, path)
    assert (state["missing"], state["thread"]) == (True, None)
    assert state_of(member_client, "/")["missing"] is False


def test_a_model_says_whether_its_prices_are_those_of_peak_hours(
    upstream: ScriptedUpstream, member_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "models", ["deepseek-flash", "deepseek-v4-pro", "unpriced"])
    models = {model["name"]: model["peak"] for model in state_of(member_client, "/")["models"]}
    assert models["unpriced"] is None
    now = utc_now()
    with reading() as session:
        priced = tariff_service.price("deepseek-flash", "CNY", now, session.connection())
    assert priced
    assert models["deepseek-flash"]["now"] is priced.peak
    until = datetime.fromisoformat(models["deepseek-flash"]["until"])
    with reading() as session:
        before, after = (
            tariff_service.price("deepseek-flash", "CNY", moment, session.connection())
            for moment in (until - timedelta(seconds=1), until)
        )
    assert before
    assert after
    assert (before.peak, after.peak) == (priced.peak, not priced.peak)
    assert until > now


ON_THE_CLOCK = [(2, "evening"), (8, "morning"), (14, "day"), (20, "evening")]


@pytest.mark.parametrize(("hour", "part"), ON_THE_CLOCK)
def test_people_are_greeted_by_their_own_clock(member_client: PageClient, hour: int, part: str) -> None:
    east = (hour - utc_now().hour + 11) % 24 - 11
    zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"  # whose signs are those of the hours behind it
    assert member_client.patch("/api/me", json={"timezone": zone}).status_code == 200
    assert translate("en", f"chat.greeting_{part}", name="member") in page_of(member_client)


def test_the_page_offers_the_tools_that_a_model_may_call_but_not_in_a_temporary_chat(
    member_client: PageClient,
) -> None:
    assert state_of(member_client, "/")["tools"] == []
    assert "data-tools" not in page_of(member_client)
    with offered(Weather(title="<b>Weather</b>")):
        assert state_of(member_client, "/")["tools"] == [{"id": SKY, "name": "Sky", "tools": ["<b>Weather</b>"]}]
        page = page_of(member_client)
        assert f'value="{SKY}"' in page
        assert "&lt;b&gt;Weather&lt;/b&gt;" in page
        assert state_of(member_client, "/?temporary")["tools"] == []
