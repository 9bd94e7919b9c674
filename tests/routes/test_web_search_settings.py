"""PUT /api/admin/settings/web-search: who looks questions up on the web, and for whom."""

import dataclasses
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select

from flask_app import config
from flask_app.database import new_id, reading, transaction
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Provider, Setting, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_access
from flask_app.services.providers import key_admin_service, model_lists, model_service
from flask_app.services.providers.key_admin_service import NewKey
from flask_app.services.reconciliation import balance_service
from flask_app.services.web_search import search_settings
from flask_app.services.web_search.search_settings import Engine
from tests.support import prices, who_searches
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import change_key, keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

PATH, SETTINGS, ADDRESS = "/api/admin/settings/web-search", "/api/admin/settings", "https://search.example.com"


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    """That of DEEPSEEK_API_KEY."""
    return model_service.available()[0].provider_id


def put(client: PageClient, engine: str, **others: object) -> Any:
    return client.put(PATH, json={"engine": engine, **others})


def shown(client: PageClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(SETTINGS).get_json()["web_search"]
    return found


def offers(client: PageClient, path: str = "/") -> bool:
    """Does the page of the chat offer it?"""
    found = re.search(r'id="chat-state">(.*?)</script>', client.get(path).text, re.S)
    assert found
    searches: bool = json.loads(found[1])["search"]
    return searches


def test_nobody_searches_until_somebody_is_chosen(
    admin_client: PageClient, member_client: PageClient, provider_id: str
) -> None:
    found = shown(admin_client)
    assert (found["engine"], found["usable"], found["model"], found["price"]) == ("off", False, None, None)
    assert [each["id"] for each in found["providers"]] == [provider_id]
    assert (search_settings.engine(), offers(member_client)) == (None, False)
    told = put(admin_client, "deepseek", provider_id=provider_id).json
    assert told == shown(admin_client)
    assert (told["engine"], told["provider_id"], told["url"], told["usable"]) == ("deepseek", provider_id, None, True)
    assert search_settings.engine() == Engine("deepseek", provider_id)
    assert offers(member_client)
    assert put(admin_client, "off").json["engine"] == "off"
    assert (search_settings.engine(), offers(member_client)) == (None, False)


def test_a_temporary_chat_does_not_offer_it(member_client: PageClient) -> None:
    who_searches.by_searxng(ADDRESS)
    assert offers(member_client)
    assert not offers(member_client, "/?temporary")


def test_a_searxng_has_an_address_and_costs_nothing(admin_client: PageClient, provider_id: str) -> None:
    told = put(admin_client, "searxng", url=f"{ADDRESS.upper().replace('HTTPS', 'https')}/search").json
    assert (told["engine"], told["url"], told["usable"]) == ("searxng", ADDRESS, True), "the page's own path is cut off"
    assert (told["price"], told["model"], told["provider_id"]) == (0, "searxng", None)
    found = search_settings.engine()
    assert found
    assert found.kind == "searxng"
    put(admin_client, "deepseek", provider_id=provider_id)
    put(admin_client, "searxng", url=ADDRESS)
    assert search_settings.engine() == found, "the same place is the same row"


def test_what_a_search_costs_now_is_told(admin_client: PageClient, provider_id: str) -> None:
    found = put(admin_client, "deepseek", provider_id=provider_id).json
    assert (found["price"], found["currency"], found["model"]) == (5000, "CNY", "deepseek-search"), "as published"
    prices.put("deepseek-search", 0, request=6)
    assert shown(admin_client)["price"] == 6000
    elsewhere = keep_provider("Elsewhere", "https://elsewhere.example.com", currency="EUR")
    keep_key(elsewhere, "elsewhere")
    found = put(admin_client, "deepseek", provider_id=elsewhere).json
    assert (found["price"], found["currency"]) == (None, "EUR"), "nobody has said what it costs there"


def test_providers_that_may_search_are_those_with_keys(admin_client: PageClient, provider_id: str) -> None:
    keep_provider("Without a key", "https://elsewhere.example.com")
    with_key = keep_provider("With a key", "https://other.example.com", priority=-1)
    keep_key(with_key, "other", disabled=True)
    who_searches.by_searxng(ADDRESS)
    found = [(each["id"], each["own"], each["usable"]) for each in shown(admin_client)["providers"]]
    assert found == [(provider_id, True, True), (with_key, False, False)], "DeepSeek's own first"


def test_nobody_searches_while_the_last_key_is_gone(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    provider_id = keep_provider("DeepSeek", "https://api.deepseek.com")
    key_id = keep_key(provider_id, "the only one")
    put(admin_client, "deepseek", provider_id=provider_id)
    assert offers(member_client)
    assert admin_client.get("/api/admin/keys").json["searches_by"] == provider_id  # type: ignore[index]
    for gone in (True, False):
        change_key(key_id, disabled=gone)
        assert (shown(admin_client)["usable"], offers(member_client)) == (not gone, not gone)
    assert admin_client.delete(f"/api/admin/keys/{key_id}").status_code == 204, "a secret that leaked goes at once"
    found = shown(admin_client)
    assert (found["engine"], found["provider_id"], found["usable"]) == ("deepseek", provider_id, False)
    assert (search_settings.engine(), offers(member_client)) == (None, False)
    assert admin_client.get("/api/admin/keys").json["searches_by"] is None  # type: ignore[index]
    keep_key(provider_id, "another")
    assert search_settings.engine() == Engine("deepseek", provider_id), "the choice has stayed"


def test_a_group_may_be_kept_from_it(admin_client: PageClient, member: User, member_client: PageClient) -> None:
    who_searches.by_searxng(ADDRESS)
    path = f"/api/admin/groups/{DEFAULT_GROUP_ID}/access"
    for may in (False, True):
        assert admin_client.put(path, json={"web_search": may}).get_json()["web_search"] is may
        assert (search_settings.may_search(member), offers(member_client)) == (may, may)
    with reading() as session:
        entries = session.scalars(select(AuditEntry.details).where(AuditEntry.action == "group.access")).all()
    assert [json.loads(each)["after"] for each in entries] == [{"web_search": False}, {"web_search": True}]


def test_may_search_asks_the_database_once(
    member: User, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    who_searches.by_searxng(ADDRESS)
    with query_count() as statements:
        assert search_settings.may_search(member)
    assert len(statements) == 1
    with query_count() as statements:
        assert search_settings.engine()
    assert len(statements) == 1


def test_it_is_written_down_who_chose(admin_client: PageClient, provider_id: str) -> None:
    for wanted in (
        {"engine": "deepseek", "provider_id": provider_id},
        {"engine": "deepseek", "provider_id": provider_id},
        {"engine": "searxng", "url": ADDRESS},
        {"engine": "off"},
    ):
        assert admin_client.put(PATH, json=wanted).status_code == 200
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert {(entry.action, entry.target) for entry in entries} == {("web_search.change", "web_search")}
    told = [json.loads(entry.details) for entry in entries]
    assert [each["after"]["engine"] for each in told] == ["deepseek", "searxng", "off"], "what has changed"
    assert told[1]["after"] == {"engine": "searxng", "provider": "SearXNG", "address": ADDRESS}
    assert told[2]["before"] == told[1]["after"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"engine": "deepseek"}, "unknown_search_provider"),
        ({"engine": "deepseek", "provider_id": "x"}, "unknown_search_provider"),
        ({"engine": "searxng"}, "search_address_malformed"),
        ({"engine": "searxng", "url": "search"}, "search_address_malformed"),
        ({"engine": "searxng", "url": "https://me:secret@search.example.com"}, "search_address_malformed"),
        ({"engine": "searxng", "url": "ftp://search.example.com"}, "address_not_https"),
        ({"engine": "searxng", "url": "https://search.example.com/?q="}, "search_address_malformed"),
    ],
)
def test_what_nobody_can_search_by_is_refused(admin_client: PageClient, body: dict[str, Any], code: str) -> None:
    who_searches.by_searxng(ADDRESS)
    refused = admin_client.put(PATH, json=body)
    assert (refused.status_code, error_code(refused)) == (422, code)
    assert shown(admin_client)["url"] == ADDRESS, "the choice stays"


@pytest.mark.security("providers-addresses")
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://search.example.com", "address_not_https"),
        ("https://127.0.0.1:8080", "address_private"),
        ("https://localhost", "address_private"),
        ("https://169.254.169.254", "address_private"),
        ("https://searxng", "address_private"),
    ],
)
def test_an_address_of_this_network_needs_the_setting(admin_client: PageClient, url: str, code: str) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    refused = put(admin_client, "searxng", url=url)
    assert (refused.status_code, error_code(refused)) == (422, code)
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=True))
    assert put(admin_client, "searxng", url=url).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"engine": "google"}, {"engine": "off", "more": 1}, {"engine": "searxng", "url": "x" * 1001}, [], None]
)
def test_a_bad_body_is_refused(admin_client: PageClient, body: object) -> None:
    who_searches.by_searxng(ADDRESS)
    assert admin_client.put(PATH, json=body).status_code in {400, 422}
    assert shown(admin_client)["url"] == ADDRESS


def test_only_administrators_choose(client: PageClient, member_client: PageClient) -> None:
    for browser, status in ((client, 401), (member_client, 403)):
        assert put(browser, "searxng", url=ADDRESS).status_code == status
    assert search_settings.engine() is None


def test_a_provider_that_is_gone_is_no_choice(admin_client: PageClient, member: User) -> None:
    with transaction() as session:
        session.add(Setting(name=search_settings.NAME, value=new_id()))
    assert shown(admin_client)["engine"] == "off"
    assert not search_settings.may_search(member)
    assert put(admin_client, "searxng", url=ADDRESS).status_code == 200


def test_a_searxng_is_none_of_the_providers_of_models(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    """Its row is made in the place of no other, is listed nowhere, and nobody asks it for models or balances."""
    model_service.available()
    who_searches.by_searxng(upstream.base_url)
    upstream.journal.clear()
    found = search_settings.engine()
    assert found
    assert admin_client.patch(f"/api/admin/providers/{found.provider_id}", json={"priority": 1}).status_code == 404
    new = NewKey(label="another", secret="a-secret-of-mine", base_url=upstream.base_url)
    key = key_admin_service.add(Actor(None), new).key
    assert key.provider_id != found.provider_id, "keys for models go elsewhere"
    model_lists.sync_due()
    balance_service.read_due()
    assert {received.key for received in upstream.journal} <= {"test-key", "a-secret-of-mine"}
    for path in ("/admin/keys", "/admin/models", "/admin/prices", "/admin", "/admin/reconciliation", "/admin/system"):
        assert "SearXNG" not in admin_client.get(path).text, path
    with reading() as session:
        assert [each.kind for each in session.scalars(select(Provider).order_by(Provider.kind))] == [
            "openai",
            "searxng",
        ]


def test_a_group_is_changed_by_whoever_knows_nothing_of_it(admin_client: PageClient, member: User) -> None:
    """A script of before names what it knows."""
    who_searches.by_searxng(ADDRESS)
    group_access.put(Actor(None), DEFAULT_GROUP_ID, web_search=False)
    admin_client.put(f"/api/admin/groups/{DEFAULT_GROUP_ID}/access", json={"api": True, "sharing": True})
    assert not search_settings.may_search(member)
