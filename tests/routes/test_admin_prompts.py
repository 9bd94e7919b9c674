"""Prompts for everybody or for a group: administrators keep them, members ask with them, each act is noted."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, SharedPrompt
from flask_app.services.audit.audit_service import Actor
from flask_app.services.prompts import prompt_terms, shared_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from tests.conftest import MakeUser, SignIn
from tests.routes.test_prompts import SUM, QueryCount, group, share
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.together import at_once

PATH = "/api/admin/prompts"


def details(action: str) -> list[dict[str, Any]]:
    with reading() as session:
        query = select(AuditEntry.details).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return [json.loads(each) for each in session.scalars(query)]


def test_it_is_kept_changed_given_to_a_group_and_deleted(admin_client: PageClient) -> None:
    theirs = group("3b")
    made = admin_client.post(PATH, json=SUM)
    assert made.status_code == 201
    assert made.json
    path = f"{PATH}/{made.json['id']}"
    assert made.json["group_id"] is None
    changed = admin_client.put(path, json=SUM | {"text": "Sum it up.", "group_id": theirs.id})
    assert (changed.status_code, changed.json["group_id"]) == (200, theirs.id)  # type: ignore[index]
    assert admin_client.put(path, json=SUM | {"text": "Sum it up.", "group_id": theirs.id}).status_code == 200
    (listed,) = admin_client.get(PATH).json["prompts"]  # type: ignore[index]
    assert listed["group"] == {"id": theirs.id, "name": "3b"}
    assert admin_client.get(path).json["text"] == "Sum it up."  # type: ignore[index]
    assert admin_client.delete(path).status_code == 204
    assert admin_client.delete(path).status_code == 404
    assert details("prompt.add") == [SUM | {"length": 21, "group": None}]
    assert details("prompt.change") == [
        {
            "command": "sum",
            "before": {"text": SUM["text"], "length": 21, "group": None},
            "after": {"text": "Sum it up.", "length": 10, "group": "3b"},
        }
    ], "once: the second time nothing changed"
    assert details("prompt.delete") == [SUM | {"text": "Sum it up.", "length": 10, "group": "3b"}]


def test_of_a_long_text_the_audit_log_keeps_the_beginning_and_the_length(admin_client: PageClient) -> None:
    long = "字" * 19_999
    made = admin_client.post(PATH, json=SUM | {"text": f"{long}。"}).json
    assert made
    path = f"{PATH}/{made['id']}"
    assert admin_client.put(path, json=SUM | {"text": f"{long}！"}).status_code == 200
    assert admin_client.delete(path).status_code == 204
    kept = {"text": "字" * 200, "length": 20_000}
    assert details("prompt.add") == details("prompt.delete") == [SUM | kept | {"group": None}]
    assert details("prompt.change") == [{"command": "sum", "before": kept, "after": kept}], "it differs further on"


@pytest.mark.security("every-route-by-owner")
def test_members_use_them_and_never_change_them(
    member_client: PageClient, client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    prompt = share()
    assert member_client.get(f"/api/offered-prompts/{prompt.id}/text").json == {"text": SUM["text"]}
    for asker, status in ((member_client, 403), (client, 401)):
        for method, path in (
            *(("GET", PATH), ("POST", PATH)),
            *((method, f"{PATH}/{prompt.id}") for method in ("GET", "PUT", "DELETE")),
        ):
            body = {"json": SUM} if method in {"POST", "PUT"} else {}
            assert asker.open(path, method=method, **body).status_code == status, (method, path)
    assert member_client.get("/admin/prompts").status_code == 403
    assert member_client.put(f"/api/prompts/{prompt.id}", json=SUM).status_code == 404
    assert member_client.delete(f"/api/prompts/{prompt.id}").status_code == 404
    assert shared_prompts.one(prompt.id).text == SUM["text"]


def test_a_command_stands_once_for_the_same_people(admin_client: PageClient) -> None:
    theirs = group("3b")
    share(), share(theirs.id), share(DEFAULT_GROUP_ID)
    for group_id in (None, theirs.id):
        taken = admin_client.post(PATH, json=SUM | {"command": "SUM", "group_id": group_id})
        assert (taken.status_code, error_code(taken)) == (409, "prompt_command_taken")
    other = share(command="other")
    taken = admin_client.put(f"{PATH}/{other.id}", json=SUM | {"group_id": theirs.id})
    assert (taken.status_code, error_code(taken)) == (409, "prompt_command_taken")


def test_two_administrators_take_the_same_command_once(app: Flask) -> None:
    outcomes = at_once(4, lambda _: share())
    assert sum(isinstance(each, SharedPrompt) for each in outcomes) == 1, outcomes
    codes = {getattr(each, "code", "") for each in outcomes if not isinstance(each, SharedPrompt)}
    assert codes == {"prompt_command_taken"}


def test_what_makes_no_sense_is_refused(admin_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, code in (
        ({"group_id": "x"}, "unknown_group"),
        ({"group_id": "site"}, "unknown_group"),
        ({"command": "a b"}, "bad_prompt_command"),
        ({"text": "x" * 20_001}, "bad_prompt_text"),
    ):
        refused = admin_client.post(PATH, json=SUM | words)
        assert (refused.status_code, error_code(refused)) == (422, code)
    monkeypatch.setattr(prompt_terms, "MOST", 1)
    share()
    assert error_code(admin_client.post(PATH, json=SUM | {"command": "b"})) == "too_many_prompts"
    share(group("3b").id)
    assert admin_client.get(f"{PATH}/absent").status_code == 404


def test_its_list_asks_no_more_when_it_is_long_and_comes_in_pages(
    admin_client: PageClient, query_count: QueryCount
) -> None:
    counts = []
    for round_of in range(2):
        for number in range(1 if round_of == 0 else 10):
            shared_prompts.add(Actor(None), group(f"g{round_of}-{number}").id, Wanted("sum", f"No {number}", "text"))
        with query_count() as statements:
            assert admin_client.get(PATH).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
    first = admin_client.get(f"{PATH}?limit=8").json
    assert first
    assert len(first["prompts"]) == 8
    rest = admin_client.get(f"{PATH}?limit=8&before={first['next']}").json
    assert (len(rest["prompts"]), rest["next"]) == (3, None)  # type: ignore[index]
    assert len(admin_client.get(f"{PATH}?q=no 7").json["prompts"]) == 1  # type: ignore[index]
