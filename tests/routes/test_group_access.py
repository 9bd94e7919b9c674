"""What a group's people may use and when: tokens and hours, from the next request on."""

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config
from flask_app.database import new_id, reading, utc_now
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, User
from flask_app.services.tokens.token_access_service import Access
from tests.support import managing
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream

GROUPS = "/api/admin/groups"
ALWAYS = {"days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "to": "24:00"}


def in_two_days() -> dict[str, Any]:
    """Hours of a day that is neither today nor tomorrow."""
    there = utc_now().astimezone(ZoneInfo(config.current().site_timezone))
    return ALWAYS | {"days": [(there + timedelta(days=2)).isoweekday()]}


def put(client: PageClient, group_id: str = DEFAULT_GROUP_ID, **access: Any) -> Any:
    return client.put(f"{GROUPS}/{group_id}/access", json=access)


def ask(client: PageClient, **body: Any) -> Any:
    return client.post("/api/chat", json={"message": "hello"} | body, headers={"Accept": "application/json"})


def test_outside_its_hours_a_group_asks_nothing_new(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    key = new_id()
    assert ask(member_client, idempotency_key=key).status_code == 200
    assert put(admin_client, hours=in_two_days()).status_code == 200
    refused = ask(member_client)
    assert (refused.status_code, error_code(refused)) == (403, "outside_hours")
    opens = datetime.fromisoformat(refused.json["error"]["params"]["opens_at"])
    assert timedelta(days=1) < opens - utc_now() < timedelta(days=2)
    assert str(opens.astimezone(ZoneInfo("Asia/Shanghai")).day) in refused.json["error"]["message"]
    assert ask(member_client, idempotency_key=key).status_code == 200, "what was asked before is told again"
    assert len(upstream.journal.chats) == 1
    assert put(admin_client, hours=ALWAYS).status_code == 200
    assert ask(member_client).status_code == 200


def test_what_is_not_named_stays(admin_client: PageClient, upstream: object) -> None:
    admin_client.get("/api/models")
    everything: dict[str, Any] = {"api": False, "sharing": False, "web_search": False, "models": ["deepseek-flash"]}
    everything["hours"] = in_two_days()
    assert put(admin_client, **everything, supervised=True).json == everything
    since = supervised_since(admin_client)
    assert since
    assert put(admin_client).json == everything
    one_by_one: list[dict[str, Any]] = [{"models": None}, {"hours": ALWAYS}, {"api": True}, {"sharing": True}]
    one_by_one.append({"web_search": True})
    for each in one_by_one:
        everything |= each
        assert put(admin_client, **each).json == everything
    assert supervised_since(admin_client) == since
    assert put(admin_client, hours=None, supervised=False).json == everything | {"hours": None}
    assert supervised_since(admin_client) is None


def supervised_since(client: PageClient) -> str | None:
    (group,) = client.get(GROUPS).get_json()["groups"]
    since: str | None = group["supervised_since"]
    return since


def test_every_way_of_asking_keeps_to_the_hours(
    app: Flask, admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    begun = ask(member_client).json
    slow = Program(app, made(member, access=Access(requests_per_minute=5)).secret)
    put(admin_client, hours=in_two_days())
    again = f"/api/messages/{begun['user_message_id']}/answers"
    temporary = {"messages": [{"role": "user", "content": "hello"}], "idempotency_key": new_id()}
    for refused in (
        member_client.post(again, json={}),
        member_client.post("/api/temporary/answers", json=temporary),
        slow.complete(),
        slow.respond(),
    ):
        assert (refused.status_code, error_code(refused)) == (403, "outside_hours")
    assert len(upstream.journal.chats) == 1


def test_hours_may_pass_midnight(admin_client: PageClient, member_client: PageClient, upstream: object) -> None:
    there = utc_now().astimezone(ZoneInfo(config.current().site_timezone))
    yesterday = {"days": [(there - timedelta(days=1)).isoweekday()], "from": "23:59", "to": "23:58"}
    assert put(admin_client, hours=yesterday).json["hours"] == yesterday
    is_last_minutes = (there.hour, there.minute) >= (23, 57)
    assert is_last_minutes or ask(member_client).status_code == 200, "they began yesterday, and go on"


def test_another_group_has_its_own_hours(admin_client: PageClient, member_client: PageClient, upstream: object) -> None:
    put(admin_client, managing.group("Class 3b"), hours=in_two_days())
    assert ask(member_client).status_code == 200


def test_an_answer_that_is_being_made_goes_on_to_its_end(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("word " * 60, tokens_per_second=100))
    stream = member_client.post("/api/chat", json={"message": "go"}, buffered=False)
    events = iter(stream.response)
    first = next(events)
    put(admin_client, hours=in_two_days())
    told = events_of(b"".join([first, *events]))  # type: ignore[list-item]
    stream.close()
    assert told[-1].data["status"] == "complete"


def test_a_program_is_told_in_the_shape_that_it_knows(
    app: Flask, admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    member_client.patch("/api/me", json={"timezone": "America/New_York"})
    program = Program(app, made(member).secret)
    put(admin_client, hours=in_two_days())
    refused = program.complete()
    error: dict[str, str] = refused.get_json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (403, "permission_error", "outside_hours")
    assert "America/New_York" in error["message"], "in its person's time zone"
    assert program.message().json["error"]["type"] == "permission_error"  # type: ignore[index]
    assert len(upstream.journal.chats) == 0


def test_without_tokens_nothing_is_asked_and_none_is_made(
    app: Flask, admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    program = Program(app, made(member).secret)
    assert program.complete().status_code == 200
    put(admin_client, api=False)
    for refused in (program.complete(), program.message(), program.respond()):
        assert refused.status_code == 403
    assert program.complete().json["error"]["code"] == "api_not_allowed"  # type: ignore[index]
    making = member_client.post("/api/tokens", json={"name": "another"})
    assert (making.status_code, error_code(making)) == (403, "api_not_allowed")
    assert ask(member_client).status_code == 200, "the pages stay"
    assert len(upstream.journal.chats) == 2
    put(admin_client, api=True)
    assert program.complete().status_code == 200


def test_what_is_set_is_told_and_logged(admin_client: PageClient, admin: User) -> None:
    group = managing.group("Class 3b")
    hours = {"days": [5, 1], "from": "08:30", "to": "16:00"}
    wanted = {"api": False, "sharing": True, "web_search": True, "models": None, "hours": hours | {"days": [1, 5]}}
    assert put(admin_client, group, api=False, hours=hours).json == wanted
    put(admin_client, group, api=False, hours=hours)
    listed = {each["id"]: each["access"] for each in admin_client.get(GROUPS).json["groups"]}  # type: ignore[index]
    assert listed == {
        DEFAULT_GROUP_ID: {"api": True, "sharing": True, "web_search": True, "models": None, "hours": None},
        group: wanted,
    }
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "group.access"))
    assert (entry.actor_id, entry.target) == (admin.id, group)
    assert json.loads(entry.details) == {
        "name": "Class 3b",
        "before": {"api": True, "hours": None},
        "after": {"api": False, "hours": "1,5 08:30-16:00"},
    }


def test_supervision_is_set_together_with_the_rest_or_not_at_all(admin_client: PageClient) -> None:
    group = managing.group("Class 3b")

    def standing() -> tuple[bool, bool]:
        (found,) = (each for each in admin_client.get(GROUPS).json["groups"] if each["id"] == group)  # type: ignore[index]
        return found["access"]["api"], found["supervised_since"] is not None

    assert put(admin_client, group, api=False, hours=ALWAYS | {"to": "00:00"}, supervised=True).status_code == 422
    assert standing() == (True, False)
    assert put(admin_client, group, api=False, supervised=True).status_code == 200
    assert standing() == (False, True)
    assert put(admin_client, group).status_code == 200
    assert standing() == (False, True), "what is not named stays"
    assert put(admin_client, group, supervised=False).status_code == 200
    assert standing() == (False, False)


@pytest.mark.parametrize(
    "hours",
    [
        {"days": [], "from": "08:00", "to": "16:00"},
        {"days": [8], "from": "08:00", "to": "16:00"},
        {"days": [1], "from": "16:00", "to": "16:00"},
        {"days": [1], "from": "24:00", "to": "08:00"},
        {"days": [1], "from": "08:00", "to": "25:00"},
        {"days": [1], "from": "8", "to": "16:00"},
        {"days": [1], "from": "08:00"},
    ],
    ids=str,
)
def test_hours_that_make_no_sense_are_refused(admin_client: PageClient, hours: dict[str, Any]) -> None:
    assert put(admin_client, hours=hours).status_code == 422
    assert put(admin_client, new_id(), hours=ALWAYS).status_code == 404


def test_only_administrators_set_them(member_client: PageClient, client: PageClient) -> None:
    assert put(member_client, api=False).status_code == 403
    assert put(client, api=False).status_code == 401


def test_where_nothing_is_chosen_the_refusal_says_what_to_choose(admin_client: PageClient) -> None:
    assert error_code(put(admin_client, hours=ALWAYS | {"days": []})) == "bad_group_hours"
    assert error_code(put(admin_client, models=[])) == "bad_group_models"
