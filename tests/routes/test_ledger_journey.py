"""From the provider's usage to every page: what was billed there is what is shown here."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from flask_app import config
from flask_app.models import User
from flask_app.services.providers import environment_key
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

USED = Usage(prompt=1000, cached=600, completion=500, reasoning=400)
# By hand, off-peak and peak: 600 × ¥0.02 + 400 × ¥1 + 500 × ¥4 for a million, in millionths of a yuan.
COST = {False: 12 + 400 + 2000, True: 2 * (12 + 400 + 2000)}


def ask(client: PageClient, **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": "hello"} | fields, headers={"Accept": "application/json"})


def records(client: PageClient, url: str = "/api/usage/records") -> list[dict[str, Any]]:
    reply = client.get(url).json
    assert reply is not None
    found: list[dict[str, Any]] = reply["records"]
    return found


def test_a_person_an_administrator_and_the_provider_count_the_same(
    member: User, member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("one", usage=USED), Answer("two", usage=USED))
    for _ in range(2):
        assert ask(member_client).status_code == 200

    own = records(member_client)
    assert len(own) == len(upstream.journal.chats) == 2
    for record, sent in zip(own, upstream.journal.chats, strict=True):
        assert sent.usage_sent is not None
        assert (record["prompt_tokens"], record["completion_tokens"]) == (sent.usage_sent.prompt, 500)
        assert (record["cached_tokens"], record["reasoning_tokens"]) == (600, 400)
        assert record["cost_micros"] == COST[record["peak"]]
        assert (record["currency"], record["source"], record["outcome"]) == ("CNY", "reported", "complete")
        assert record["provider"] == "DeepSeek"

    everyone = records(admin_client, "/api/admin/records")
    for record in everyone:
        assert (record.pop("user")["id"], record.pop("key_label")) == (member.id, environment_key.LABEL)
    assert everyone == own

    total = member_client.get("/api/usage/summary").json["total"]  # type: ignore[index]
    assert total["costs"] == [{"currency": "CNY", "micros": sum(record["cost_micros"] for record in own)}]
    assert (total["requests"], total["total_tokens"]) == (2, 3000)
    for by in ("user", "model", "key", "day"):
        rows = admin_client.get(f"/api/admin/usage?by={by}").json["rows"]  # type: ignore[index]
        (used,) = [row for row in rows if row["requests"]]
        assert {name: used[name] for name in total} == total


def test_the_keys_last_use_is_shown(
    member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    ask(member_client)
    (key,) = admin_client.get("/api/admin/keys").json["keys"]  # type: ignore[index]
    assert key["last_used_at"] == records(member_client)[0]["created_at"]


def test_a_model_without_a_price_is_counted_in_tokens(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    listed, upstream.models = upstream.models, ["nobody-knows-its-price"]
    try:
        upstream.script(Answer("one", usage=USED))
        assert ask(member_client).status_code == 200
    finally:
        upstream.models = listed
    (record,) = records(member_client)
    assert (record["cost_micros"], record["currency"], record["peak"], record["free"]) == (None, None, None, False)
    total = member_client.get("/api/usage/summary").json["total"]  # type: ignore[index]
    assert (total["unpriced_requests"], total["costs"], total["total_tokens"]) == (1, [], 1500)


@pytest.mark.parametrize("act", ["disabled", "gone"])
def test_without_a_usable_key_nothing_is_asked_and_nothing_is_billed(
    member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream, act: str
) -> None:
    model = member_client.get("/api/models").json["default"]  # type: ignore[index]
    assert model
    config.install(dataclasses.replace(config.current(), local_model_path=Path("/nowhere/model.gguf")))
    if act == "disabled":
        admin_client.patch(f"/api/admin/keys/{environment_key.ID}", json={"disabled": True})
    else:
        config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    response = ask(member_client, model=model)
    assert response.status_code == 503
    assert response.json["error"]["code"] == "no_model"
    assert upstream.journal.chats == []
    assert records(member_client) == []
