"""/api/admin/keys: a secret goes in once and comes out nowhere."""

import dataclasses
import json
import traceback
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config
from flask_app.database import Base, engine, reading
from flask_app.models import ApiKey, AuditEntry
from flask_app.services.providers import environment_key, key_service, model_lists, model_service
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Redirect, ScriptedUpstream, Status

KEYS = "/api/admin/keys"
CANARY = "sk-canary-7d1f0b6e52c94a83"


def add(client: PageClient, **fields: Any) -> Any:
    response = client.post(KEYS, json={"label": "team", "secret": CANARY} | fields)
    assert response.status_code == 201, response.text
    return response.json


def code_of(response: Any) -> str:
    return str(response.json["error"]["code"])


def audited() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]


def test_a_key_is_added_and_its_models_can_be_chosen(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    key = add(admin_client, label="  团队🙂  ")
    assert key["label"] == "团队🙂"
    assert key["provider"]["base_url"] == upstream.base_url
    assert key["hint"] == CANARY[-4:]
    assert (key["disabled"], key["last_error"], key["last_used_at"]) == (False, None, None)
    assert upstream.journal.last.key == CANARY
    assert [model.name for model in model_service.available()] == ["deepseek-flash", "deepseek-v4-pro"]
    assert key in admin_client.get(KEYS).json["keys"]  # type: ignore[index]


def test_a_key_the_provider_refuses_is_kept_with_the_reason(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.keys = {"test-key"}
    key = add(admin_client)
    assert key["last_error"]["code"] == "upstream_key_refused"
    assert key["last_error"]["message"]


@pytest.mark.security("key-to-its-own-host")
def test_providers_are_told_apart_by_address_currency_and_name(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = add(admin_client, base_url=f"{upstream.base_url}/v1/")
    again = add(admin_client, base_url=f"{upstream.base_url}/v1")
    dollars = add(admin_client, base_url=f"{upstream.base_url}/v1", currency="usd")
    named = add(admin_client, base_url=f"{upstream.base_url}/v1", provider_name="Ours")
    ids = [key["provider"]["id"] for key in (first, again, dollars, named)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert named["provider"]["name"] == "Ours"


def test_a_key_is_renamed_switched_off_and_on(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    url = f"{KEYS}/{add(admin_client)['id']}"
    assert admin_client.patch(url, json={"label": "renamed"}).json["label"] == "renamed"  # type: ignore[index]
    changed = admin_client.patch(url, json={"disabled": True}).json
    assert (changed["label"], changed["disabled"]) == ("renamed", True)  # type: ignore[index]
    assert admin_client.patch(url, json={"disabled": False}).json["disabled"] is False  # type: ignore[index]
    assert admin_client.patch(url, json={}).status_code == 200


def test_a_deleted_key_is_gone_with_its_secret_but_the_ledger_can_still_name_it(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    key_id = add(admin_client)["id"]
    assert admin_client.delete(f"{KEYS}/{key_id}").status_code == 204
    assert key_id not in {key["id"] for key in admin_client.get(KEYS).json["keys"]}  # type: ignore[index]
    with reading() as session:
        row = session.get_one(ApiKey, key_id)
    assert (row.secret, row.label) == (None, "team")
    for response in (
        admin_client.delete(f"{KEYS}/{key_id}"),
        admin_client.patch(f"{KEYS}/{key_id}", json={"disabled": False}),
        admin_client.post(f"{KEYS}/{key_id}/test"),
    ):
        assert response.status_code == 404


def test_a_test_says_what_the_provider_says(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    url = f"{KEYS}/{add(admin_client)['id']}/test"
    good = admin_client.post(url).json
    assert good == {
        "ok": True,
        "latency_ms": good["latency_ms"],  # type: ignore[index]
        "models": ["deepseek-flash", "deepseek-v4-pro"],
        "error": None,
    }
    upstream.script(Status(402), path="/models")
    bad = admin_client.post(url, headers={"Accept-Language": "en"}).json
    assert bad is not None
    assert (bad["ok"], bad["models"], bad["error"]["code"]) == (False, [], "upstream_no_balance")
    (listed,) = [key for key in admin_client.get(KEYS).json["keys"] if key["id"] in url]  # type: ignore[index]
    assert listed["last_error"]["code"] == "upstream_no_balance"
    assert admin_client.post(url).json["ok"]  # type: ignore[index]
    (listed,) = [key for key in admin_client.get(KEYS).json["keys"] if key["id"] in url]  # type: ignore[index]
    assert listed["last_error"] is None, "what was noted is over"


@pytest.mark.security("key-to-its-own-host")
def test_a_key_is_never_sent_after_a_redirect(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    with ScriptedUpstream() as canary:
        upstream.script(Redirect(f"{canary.base_url}/models"), path="/models")
        key = add(admin_client)
        assert len(canary.journal) == 0
    assert key["last_error"]["code"] == "upstream_garbage"


def test_the_environments_key_can_be_switched_off_but_not_deleted(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    (key,) = admin_client.get(KEYS).json["keys"]  # type: ignore[index]
    url = f"{KEYS}/{environment_key.ID}"
    assert code_of(admin_client.delete(url)) == "key_from_environment"
    assert key["from_environment"]
    assert admin_client.patch(url, json={"disabled": True}).json["disabled"]  # type: ignore[index]


def test_once_the_variable_is_gone_its_key_can_only_be_deleted(
    admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    model_service.available()
    config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    model_service.available()
    url = f"{KEYS}/{environment_key.ID}"
    assert admin_client.get(KEYS).json["keys"][0]["disabled"]  # type: ignore[index]
    assert code_of(admin_client.patch(url, json={"disabled": False})) == "key_without_secret"
    assert code_of(admin_client.post(f"{url}/test")) == "key_without_secret"
    assert admin_client.delete(url).status_code == 204


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"label": " "}, "bad_label"),
        ({"label": "x" * 65}, "bad_label"),
        ({"label": "a\nb"}, "bad_label"),
        ({"secret": ""}, "bad_secret"),
        ({"secret": "short"}, "bad_secret"),
        ({"secret": "sk-with space 0123"}, "bad_secret"),
        ({"secret": "sk-line\r\nX-Evil: 1"}, "bad_secret"),
        ({"secret": "sk-密钥密钥密钥密钥"}, "bad_secret"),
        ({"secret": "x" * 513}, "bad_secret"),
        ({"currency": "yuan"}, "bad_currency"),
        ({"currency": "C1Y"}, "bad_currency"),
        ({"provider_name": "a\x00b"}, "bad_label"),
        ({"base_url": "ftp://example.com"}, "address_not_https"),
        ({"base_url": "https://u:p@example.com"}, "address_malformed"),
        ({"base_url": "https://example.com?key=1"}, "address_malformed"),
        ({"label": 5}, "invalid_field"),
        ({"disabled": True}, "invalid_field"),
        ({"id": "chosen"}, "invalid_field"),
        ({"hint": "none"}, "invalid_field"),
    ],
)
def test_a_bad_key_is_refused_and_nothing_is_kept(
    admin_client: PageClient, upstream: ScriptedUpstream, fields: dict[str, Any], code: str
) -> None:
    response = admin_client.post(KEYS, json={"label": "team", "secret": CANARY} | fields)
    assert (response.status_code, code_of(response)) == (422, code)
    assert len(upstream.journal) == 0
    with reading() as session:
        assert session.scalars(select(ApiKey)).all() == []


@pytest.mark.parametrize(
    "address", ["http://api.example.com", "https://127.0.0.1", "https://169.254.169.254", "https://[::ffff:10.0.0.1]"]
)
def test_insecure_addresses_need_the_operators_leave(
    admin_client: PageClient, upstream: ScriptedUpstream, address: str
) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    response = admin_client.post(KEYS, json={"label": "team", "secret": CANARY, "base_url": address})
    assert code_of(response) in {"address_not_https", "address_private"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("post", ""), ("patch", "/x"), ("delete", "/x"), ("post", "/x/test")],
)
def test_only_administrators_reach_keys(
    client: PageClient, member_client: PageClient, upstream: ScriptedUpstream, method: str, path: str
) -> None:
    for browser, status in ((client, 401), (member_client, 403)):
        response = getattr(browser, method)(KEYS + path, json={"label": "x", "secret": CANARY})
        assert response.status_code == status
    with reading() as session:
        assert session.scalars(select(ApiKey)).all() == []


@pytest.mark.parametrize("key_id", ["x", "01" * 13, "%27", "..", "x" * 500, "编号", "🙂"])
def test_an_absent_key_is_not_found(admin_client: PageClient, key_id: str) -> None:
    for response in (
        admin_client.patch(f"{KEYS}/{key_id}", json={"label": "x"}),
        admin_client.delete(f"{KEYS}/{key_id}"),
        admin_client.post(f"{KEYS}/{key_id}/test"),
    ):
        assert response.status_code == 404


def test_every_act_is_in_the_audit_log(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    key = add(admin_client)
    url = f"{KEYS}/{key['id']}"
    admin_client.patch(url, json={"disabled": True})
    admin_client.post(f"{url}/test")
    admin_client.delete(url)
    entries = audited()
    assert [action for action, _, _ in entries] == ["key.add", "key.change", "key.test", "key.delete"]
    assert {target for _, target, _ in entries} == {key["id"]}
    assert entries[0][2]["base_url"] == upstream.base_url
    assert entries[1][2] == {"label": key["label"], "before": {"disabled": False}, "after": {"disabled": True}}


@pytest.mark.security("key-never-returned", "keys-in-logs")
def test_the_secret_shows_up_nowhere(
    app: Flask, admin_client: PageClient, upstream: ScriptedUpstream, capfd: pytest.CaptureFixture[str]
) -> None:
    """Replies, pages, the whole database, what the process printed, and the tracebacks of failures."""
    replies = [json.dumps(add(admin_client))]
    url = f"{KEYS}/{json.loads(replies[0])['id']}"
    upstream.script(Status(401, f"the key {CANARY} is invalid"), path="/models")
    asked = (
        admin_client.post(f"{url}/test"),
        admin_client.post(f"{url}/test"),
        admin_client.get(KEYS),
        admin_client.get("/admin/keys"),
        admin_client.patch(url, json={"label": "renamed"}),
        admin_client.post(KEYS, json={"label": "", "secret": CANARY}),
        admin_client.post(KEYS, json={"label": "x", "secret": CANARY + " " * 600}),
        admin_client.post(KEYS, json={"label": "x", "secret": [CANARY]}),
        admin_client.post(KEYS, json={"label": "x", "secret": CANARY, "base_url": "https://127.0.0.1:1/"}),
    )
    replies += [response.text for response in asked]
    with engine().connect() as connection:
        rows = [repr(row) for table in Base.metadata.sorted_tables for row in connection.execute(select(table))]
    printed = "".join(capfd.readouterr())
    assert "key_test_failed" in printed, "the refusal must have been logged"
    try:
        model_lists.read_list("nobody", _usable(url))
    except Exception:  # noqa: BLE001 - whatever it is, its traceback is what is looked at
        replies.append(traceback.format_exc())
    assert upstream.journal[0].key == CANARY, "the key must have been in use"
    for place in (*replies, *rows, printed):
        assert CANARY not in place
        assert CANARY[3:] not in place


def test_the_log_names_what_happened_to_a_key(admin_client: PageClient, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    add(admin_client, base_url="https://127.0.0.1:1/")
    line = next(line for line in capfd.readouterr().err.splitlines() if " key_" in line)
    assert " key_test_failed " in line
    assert "code=upstream_unreachable" in line


def _usable(url: str) -> Any:
    with reading() as session:
        key = session.get_one(ApiKey, url.rpartition("/")[2])
    return dataclasses.replace(key_service.of_provider(key.provider_id)[0], base_url="https://127.0.0.1:1")
