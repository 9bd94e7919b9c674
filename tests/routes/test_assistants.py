"""One's own assistants: made, listed, changed, deleted; nobody else's business."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import Assistant, User
from flask_app.services.assistants import assistant_terms, own_assistants
from tests.routes.test_group_models import keep_to, offered
from tests.support.assisted import ASSISTANTS, TUTOR, ask, keep
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.together import at_once

QueryCount = Callable[[], AbstractContextManager[list[str]]]
FAMILY = "👨🏻‍❤️‍💋‍👨🏼"  # of ten characters


def names(client: PageClient) -> list[str]:
    return [each["name"] for each in client.get(ASSISTANTS).json["assistants"]]  # type: ignore[index]


def test_an_assistant_is_made_changed_and_deleted(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    made = keep(member_client, name="  My \n tutor ", instructions="Ask\r\nback. ", icon=FAMILY)
    assert (made["name"], made["instructions"], made["icon"]) == ("My tutor", "Ask\nback. ", FAMILY)
    assert (made["model"], made["thinking"]) == (None, None)
    (listed,) = member_client.get(ASSISTANTS).json["assistants"]  # type: ignore[index]
    assert (listed["beginning"], "instructions" in listed) == ("Ask\nback. ", False)
    path = f"{ASSISTANTS}/{made['id']}"
    changed = member_client.patch(path, json={"icon": "", "model": "deepseek-v4-pro", "thinking": "high"}).json
    assert changed == made | {
        "icon": "",
        "model": "deepseek-v4-pro",
        "thinking": "high",
        "updated_at": changed["updated_at"],  # type: ignore[index]
    }
    assert changed["updated_at"] > made["updated_at"]
    for thinking in (True, False, None):
        assert member_client.patch(path, json={"thinking": thinking}).json["thinking"] is thinking  # type: ignore[index]
    assert member_client.patch(path, json={"model": None}).json["model"] is None  # type: ignore[index]
    assert member_client.patch(path, json={}).json["instructions"] == made["instructions"]  # type: ignore[index]
    assert member_client.get(path).json["name"] == "My tutor"  # type: ignore[index]
    assert member_client.delete(path).status_code == 204
    assert names(member_client) == []
    assert member_client.patch(path, json={"name": "x"}).status_code == 404, "deleted in another tab"


@pytest.mark.security("foreign-is-absent")
def test_nobody_else_reads_changes_deletes_or_asks_one(
    member_client: PageClient, admin_client: PageClient, client: PageClient, upstream: ScriptedUpstream
) -> None:
    made = keep(member_client, instructions="a canary: 5b81d2")
    path = f"{ASSISTANTS}/{made['id']}"
    for stranger in (admin_client, client):
        expected = 404 if stranger is admin_client else 401
        assert stranger.get(path).status_code == expected
        assert stranger.patch(path, json={"name": "mine"}).status_code == expected
        assert stranger.delete(path).status_code == expected
        assert ask(stranger, assistant_id=made["id"]).status_code == expected
    assert names(admin_client) == []
    for page in ("/assistants", "/", f"/?assistant={made['id']}", "/api/admin/audit"):
        assert "5b81d2" not in admin_client.get(page).text, page
        assert "Tutor" not in admin_client.get(page).text, page
    assert client.get("/assistants").status_code == 302
    assert client.get(ASSISTANTS).status_code == client.post(ASSISTANTS, json=TUTOR).status_code == 401
    assert member_client.get(path).json == made
    assert upstream.journal.chats == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": " \u200b\u202e "}, "bad_assistant_name"),
        ({"name": "x" * 61}, "bad_assistant_name"),
        ({"icon": "x" * 17}, "bad_assistant_icon"),
        ({"icon": "\u2800"}, "bad_assistant_icon"),
        ({"instructions": " \n\u2800"}, "bad_instructions"),
        ({"instructions": "x" * 16_001}, "bad_instructions"),
        ({"instructions": ""}, "invalid_field"),
        ({"name": None}, "invalid_field"),
        ({"model": "nobody's"}, "unknown_model"),
        ({"thinking": "a lot"}, "invalid_field"),
        ({"user_id": "x"}, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream, fields: dict[str, Any], code: str
) -> None:
    made = keep(member_client)
    for reply in (
        member_client.post(ASSISTANTS, json=TUTOR | fields),
        member_client.patch(f"{ASSISTANTS}/{made['id']}", json=fields),
    ):
        assert (reply.status_code, error_code(reply)) == (422, code)
    assert member_client.get(f"{ASSISTANTS}/{made['id']}").json == made


def test_a_model_that_the_group_may_not_ask_is_refused(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert len(offered(member_client)[0]) == 2
    assert keep_to(admin_client, ["deepseek-flash"]).status_code == 200
    refused = member_client.post(ASSISTANTS, json=TUTOR | {"model": "deepseek-v4-pro"})
    assert (refused.status_code, error_code(refused)) == (403, "model_not_for_group")


def test_the_longest_instructions_are_kept_whole(member_client: PageClient) -> None:
    for words in ("题" * 16_000, "🙂" * 16_000, "\n" * 15_999 + "x"):
        made = keep(member_client, instructions=words)
        assert member_client.get(f"{ASSISTANTS}/{made['id']}").json["instructions"] == words  # type: ignore[index]
    longest = max(len(each["beginning"]) for each in member_client.get(ASSISTANTS).json["assistants"])  # type: ignore[index]
    assert longest == 200


def test_there_is_a_limit_also_for_those_of_one_moment(
    app: Flask, member: User, member_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant_terms, "MOST", 2)
    wanted = assistant_terms.Wanted(name="Tutor", icon="", instructions="Ask back.")
    outcomes = at_once(4, lambda _: own_assistants.add(member, wanted))
    assert sum(isinstance(each, Assistant) for each in outcomes) == 2, outcomes
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Assistant)) == 2
    refused = member_client.post(ASSISTANTS, json=TUTOR)
    assert (refused.status_code, error_code(refused)) == (409, "too_many_assistants")


def test_pages_ask_no_more_of_the_database_when_there_are_many(
    member_client: PageClient, upstream: ScriptedUpstream, query_count: QueryCount
) -> None:
    counts = []
    for round_of in range(2):
        for number in range(1 if round_of == 0 else 20):
            keep(member_client, name=f"{round_of}-{number}")
        for path in (ASSISTANTS, "/assistants", "/"):
            member_client.get(path)
            with query_count() as statements:
                assert member_client.get(path).status_code == 200
            counts.append(len(statements))
    assert counts[:3] == counts[3:]


def test_a_new_chat_offers_the_latest_and_begins_with_the_one_of_its_address(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert "/?assistant=" not in member_client.get("/").text
    made = [keep(member_client, name=f"Number {number}") for number in range(8)]
    member_client.patch(f"{ASSISTANTS}/{made[0]['id']}", json={"name": "Number zero"})
    page = member_client.get("/").text
    shown = [each["name"] for each in made if f'href="/?assistant={each["id"]}"' in page]
    assert shown == ["Number 0", *(f"Number {number}" for number in range(3, 8))]
    assert TUTOR["instructions"] not in page
    assert 'class="assisted"' not in page
    begun = member_client.get(f"/?assistant={made[1]['id']}").text
    assert 'class="assisted"' in begun
    assert "Number 1" in begun
    for other in ("x", made[1]["id"].upper(), ""):
        assert 'class="assisted"' not in member_client.get(f"/?assistant={other}").text
    temporary = member_client.get(f"/?temporary&assistant={made[1]['id']}").text
    assert "assistant=" not in temporary
    assert 'class="assisted"' not in temporary


def test_a_name_is_text_on_every_page(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    hostile = "</script><img src=x onerror=alert(1)>{{7*7}}"
    made = keep(member_client, name=hostile, icon="<i>&\"'", instructions=hostile)
    for path in ("/assistants", "/", f"/?assistant={made['id']}"):
        page = member_client.get(path).text
        assert "<img src=x" not in page, path
        assert "<i>" not in page, path
        assert "\\u003c/script>\\u003cimg src=x" in page, path
