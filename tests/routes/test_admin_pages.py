"""The administrators' pages start with the first page of their API's data."""

import dataclasses
import json
import re
from typing import Any

import pytest

from flask_app import config, i18n
from flask_app.database import utc_now
from flask_app.models import DEFAULT_GROUP_ID, User
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.keys import keep_key, keep_provider
from tests.support.ports import free_port
from tests.support.scripted_upstream import ScriptedUpstream

ENGLISH = {"Accept-Language": "en"}
PAGES = {
    "/admin": "/api/admin/overview",
    "/admin/users": "/api/admin/users",
    "/admin/groups": "/api/admin/groups",
    "/admin/budgets": "/api/admin/budgets",
    "/admin/codes": "/api/admin/code-batches",
    "/admin/keys": "/api/admin/keys",
    "/admin/models": "/api/admin/models",
    "/admin/prices": "/api/admin/tariffs",
    "/admin/warnings": "/api/admin/warnings",
    "/admin/records": "/api/admin/records",
    "/admin/reconciliation": "/api/admin/reconciliations",
    "/admin/audit": "/api/admin/audit",
    "/admin/requests": "/api/admin/requests",
    "/admin/system": "/api/admin/system",
}


def state_of(client: PageClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200
    found = re.search(r'<script type="application/json" id="admin-state">(.*?)</script>', response.text, re.S)
    assert found
    assert "<" not in found[1]
    return json.loads(found[1])


@pytest.mark.parametrize(("page", "api"), PAGES.items())
def test_a_page_starts_with_what_its_api_says(
    admin_client: PageClient, member: User, upstream: ScriptedUpstream, page: str, api: str
) -> None:
    ledger.write([ledger.entry(member.id, utc_now())])
    admin_client.get("/api/admin/overview")  # the environment's key is stored at first use
    state, reply = state_of(admin_client, page), admin_client.get(api).json
    assert reply is not None
    assert {name: state[name] for name in reply} == reply


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_groups_says_that_their_setting_is_not_for_programs(
    admin_client: PageClient, language: str
) -> None:
    page = admin_client.get("/admin/groups", headers={"Accept-Language": language}).text
    (hint,) = re.findall(r'id="hint-on-disconnect">(.*?)</p>', page, re.S)
    assert "/v1" in hint


def test_the_search_page_knows_what_can_be_chosen_and_keeps_the_filter(
    admin_client: PageClient, member: User, upstream: ScriptedUpstream
) -> None:
    admin_client.get("/api/models")
    ledger.write([ledger.entry(member.id, utc_now()), ledger.entry(member.id, utc_now(), outcome="left")])
    state = state_of(admin_client, "/admin/records?outcome=left")
    assert state["groups"] == [{"id": DEFAULT_GROUP_ID, "name": "所有人"}]
    assert state["models"] == ["deepseek-flash", "deepseek-v4-pro"]
    assert [key["id"] for key in state["keys"]] == ["environment"]
    assert [record["outcome"] for record in state["records"]] == ["left"]


@pytest.mark.parametrize("page", PAGES)
def test_only_administrators_see_them(client: PageClient, member_client: PageClient, page: str) -> None:
    signed_out = client.get(page, headers={"Accept": "text/html"})
    assert signed_out.status_code == 302
    assert signed_out.location == f"/login?next={page}"
    assert member_client.get(page, headers={"Accept": "text/html"}).status_code == 403


def test_a_filter_without_sense_is_an_error_page(admin_client: PageClient) -> None:
    response = admin_client.get("/admin/records?outcome=lost", headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert response.mimetype == "text/html"


@pytest.mark.parametrize("page", ["/admin/models", "/admin/prices"])
def test_where_no_model_could_be_read_the_keys_say_why(admin_client: PageClient, page: str) -> None:
    add, unread = (i18n.translate("en", f"admin.models_{why}") for why in ("none", "unread"))
    config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    before = admin_client.get(page, headers=ENGLISH).text
    assert (add in before, unread in before) == (True, False)
    keep_key(keep_provider("Away", f"http://127.0.0.1:{free_port()}"), "its key")
    now = admin_client.get(page, headers=ENGLISH).text
    assert (add in now, unread in now) == (False, True)
    assert f'{unread} <a href="/admin/keys">' in now
