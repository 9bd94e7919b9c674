"""What a conversation takes of its model's context, and what its next message costs before the answer."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from flask_app import config
from flask_app.domain.serving import LOCAL_WINDOW
from flask_app.services.providers import key_service
from flask_app.upstream import local_model
from tests.support import prices, temporary
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.keys import keep_provider
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

JSON = {"Accept": "application/json", "Accept-Language": "en"}
THOUGHTFUL = Answer("Four.", thinking="Two and two", usage=Usage(prompt=100, cached=40, completion=30, reasoning=20))
MODELS = "/api/admin/models"


def usage_of(client: PageClient, conversation_id: str) -> Any:
    thread: Any = client.get(f"/api/conversations/{conversation_id}").json
    return thread["messages"][-1]["usage"]


def models(client: PageClient) -> dict[str, Any]:
    listed: Any = client.get("/api/models").json
    return {model["name"]: model for model in listed["models"]}


def test_an_answer_tells_what_the_next_message_sends_along(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(THOUGHTFUL)
    told = events_of(member_client.post("/api/chat", json={"message": "2 + 2?"}).data)
    usage = next(event.data for event in told if event.name == "usage")
    assert (usage["context_tokens"], usage["total_tokens"]) == (110, 130)
    assert usage_of(member_client, told[0].data["conversation_id"])["context_tokens"] == 110


def test_what_was_gone_on_with_counts_its_beginning_once(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("One, ", finish_reason="length", usage=Usage(prompt=100, completion=10)))
    broken: Any = member_client.post("/api/chat", json={"message": "Count."}, headers=JSON).json
    upstream.script(Answer("two.", usage=Usage(prompt=112, completion=8)))
    told = events_of(member_client.post(f"/api/runs/{broken['run_id']}/continue", json={}).data)
    assert next(event.data["context_tokens"] for event in told if event.name == "usage") == 120
    usage = usage_of(member_client, broken["conversation_id"])
    assert (usage["context_tokens"], usage["total_tokens"]) == (120, 230)


def test_a_temporary_chat_tells_it_too(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(THOUGHTFUL)
    told = temporary.heard(temporary.ask(member_client))
    assert next(event.data["context_tokens"] for event in told if event.name == "usage") == 110


def test_what_a_model_reads_is_known_or_set(
    admin_client: PageClient,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upstream, "models", ["deepseek-flash", "own-model"])
    assert {name: model["context_tokens"] for name, model in models(member_client).items()} == {
        "deepseek-flash": 1_000_000,
        "own-model": None,
    }
    path = f"{MODELS}/{models(member_client)['own-model']['id']}"
    settings: dict[str, Any] = {"successor_id": None, "aliases": []}
    changed = admin_client.put(path, json=settings | {"context_tokens": 32_768})
    told: Any = changed.json
    assert {model["name"]: model["context_tokens"] for model in told["models"]}["own-model"] == 32_768
    assert models(member_client)["own-model"]["context_tokens"] == 32_768
    assert admin_client.put(path, json=settings | {"context_tokens": None}).status_code == 200
    assert models(member_client)["own-model"]["context_tokens"] is None


@pytest.mark.parametrize("tokens", [0, -1, 100_000_001, 1.5, "many"])
def test_no_other_window_is_taken(tokens: object, admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    path = f"{MODELS}/{models(admin_client)['deepseek-flash']['id']}"
    body = {"successor_id": None, "aliases": [], "context_tokens": tokens}
    assert admin_client.put(path, json=body).status_code == 422
    assert models(admin_client)["deepseek-flash"]["context_tokens"] == 1_000_000


def test_the_local_models_window_is_what_its_server_gives_it() -> None:
    server = Path(local_model.__file__).parent / "local_model_server.py"
    (tokens,) = re.findall(r"^CONTEXT_TOKENS = (\d+)", server.read_text(), re.MULTILINE)
    assert int(tokens) == LOCAL_WINDOW


def cost(client: PageClient, model: str, **query: object) -> Any:
    return client.get("/api/models/input-cost", query_string={"model": model} | query)


def test_a_prompt_has_its_price_of_now(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "models", ["priced", "unpriced"])
    prices.put("priced", 1, input_hit=0.1)
    assert cost(member_client, "priced", tokens=12_345).json == {
        "currency": "CNY",
        "micros": 12_345,
        "cached_micros": 1_235,  # of 1,234.5, rounded half up, as the ledger does
    }
    assert cost(member_client, models(member_client)["priced"]["id"]).json["micros"] == 0
    assert cost(member_client, "unpriced", tokens=5).json == {"currency": None, "micros": None, "cached_micros": None}


def test_what_is_new_is_in_no_cache(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "models", ["priced"])
    prices.put("priced", 1, input_hit=0.1)
    figures = [cost(member_client, "priced", tokens=10_000, new=new).json for new in (0, 4_000, 10_000, 20_000)]
    assert [each["micros"] for each in figures] == [10_000] * 4
    assert [each["cached_micros"] for each in figures] == [1_000, 4_600, 10_000, 10_000]


def test_this_machines_own_model_costs_nothing(member_client: PageClient, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").touch()
    here = dataclasses.replace(config.current(), deepseek_api_key=None, local_model_path=tmp_path / "tiny.gguf")
    config.install(here)
    if not key_service.local_model().available():
        pytest.skip("the local model's engine is not installed")
    prices.put("tiny", 1)
    assert cost(member_client, "tiny", tokens=5).json == {"currency": None, "micros": None, "cached_micros": None}


def test_only_a_known_model_and_a_number_have_a_cost(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    keep_provider("Gone", "https://gone.example.com", models=["old"])
    assert cost(member_client, "nobody", tokens=1).status_code == 422
    for tokens in ("-1", "1.5", "x", "9" * 10):
        assert cost(member_client, "deepseek-flash", tokens=tokens).status_code == 400
        assert cost(member_client, "deepseek-flash", tokens=1, new=tokens).status_code == 400


def test_strangers_hear_no_price(client: PageClient, upstream: ScriptedUpstream) -> None:
    assert cost(client, "deepseek-flash", tokens=1).status_code == 401
