"""For how long things are kept: said by administrators, counted before it bites, and told to people."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, Conversation, Group, User
from tests.support.clients import PageClient
from tests.support.entrance import error_code

RETENTION, SETTINGS = "/api/admin/settings/retention", "/api/admin/settings"
NOTHING = dict.fromkeys(("conversations", "people", "entries", "files", "file_people", "requests"), 0)


def old_conversation(person: User) -> None:
    with transaction() as session:
        session.add(Conversation(user_id=person.id, title="old", updated_at=utc_now() - timedelta(days=31)))


def count() -> int | None:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Conversation))


def test_it_is_said_and_holds(admin_client: PageClient) -> None:
    usual: dict[str, object] = {"days": None, "groups": {}, "file_days": None, "file_groups": {}, "audit_days": None}
    assert admin_client.get(SETTINGS).get_json()["retention"] == usual
    of_files = {"file_days": 14, "file_groups": {DEFAULT_GROUP_ID: 7}}
    wanted = {"days": 30, "groups": {DEFAULT_GROUP_ID: None}, **of_files, "audit_days": 365}
    assert admin_client.put(RETENTION, json=wanted).get_json() == wanted
    assert admin_client.get(SETTINGS).get_json()["retention"] == wanted
    page = admin_client.get("/admin/settings").get_data(as_text=True)
    assert '"retention":{"days":30' in page


def test_a_program_that_knows_nothing_of_files_leaves_their_rules(admin_client: PageClient) -> None:
    of_files = {"file_days": 14, "file_groups": {DEFAULT_GROUP_ID: 7}}
    admin_client.put(RETENTION, json={"days": 30, **of_files})
    before: dict[str, object] = {"days": 60, "groups": {}, "audit_days": None}
    assert admin_client.put(RETENTION, json=before).get_json() == before | of_files
    cleared: dict[str, object] = {"file_days": None, "file_groups": {}}
    assert admin_client.put(RETENTION, json=before | cleared).get_json() == before | cleared


def test_what_would_go_is_counted_and_confirmed(admin_client: PageClient, member: User) -> None:
    old_conversation(member)
    refused = admin_client.put(RETENTION, json={"days": 30})
    assert (refused.status_code, error_code(refused)) == (409, "retention_removes")
    assert refused.get_json()["error"]["params"] == NOTHING | {"conversations": 1, "people": 1}
    assert admin_client.get(SETTINGS).get_json()["retention"]["days"] is None
    assert admin_client.put(RETENTION, json={"days": 30, "confirmed": True}).status_code == 200
    assert count() == 1, "a request deletes nothing itself"


def test_what_keeps_no_less_is_stored_without_a_question(admin_client: PageClient, member: User) -> None:
    """Also while something is too old by what holds already: upkeep comes to that."""
    old_conversation(member)
    of_audit = {"audit_days": 365}
    admin_client.put(RETENTION, json={"days": 30, "confirmed": True} | of_audit)
    for wanted in ({"days": 30} | of_audit, {"days": 31} | of_audit, {"days": None, "groups": {DEFAULT_GROUP_ID: 31}}):
        assert admin_client.put(RETENTION, json=wanted).status_code == 200, wanted
    assert admin_client.put(RETENTION, json={"days": None}).status_code == 200, "the group has everybody's again"


def test_what_goes_where_people_come_into_another_group_is_confirmed(admin_client: PageClient, member: User) -> None:
    old_conversation(member)
    brief = admin_client.post("/api/admin/groups", json={"name": "Brief"}).get_json()["id"]
    admin_client.put(RETENTION, json={"days": None, "groups": {brief: 30}})
    person, there = f"/api/admin/users/{member.id}", {"group_id": brief}
    refused = admin_client.patch(person, json=there)
    assert (refused.status_code, error_code(refused)) == (409, "retention_removes")
    assert refused.get_json()["error"]["params"] == NOTHING | {"conversations": 1, "people": 1}
    assert admin_client.patch(person, json=there | {"confirmed": True}).get_json()["user"]["group"]["id"] == brief
    admin_client.put(RETENTION, json={"days": 20, "groups": {brief: 40}, "confirmed": True})
    group = f"/api/admin/groups/{brief}"
    for answer in ("", "?confirmed=", "?confirmed=false", "?confirmed=1"):
        refused = admin_client.delete(group + answer)
        assert (refused.status_code, error_code(refused)) == (409, "retention_removes"), answer
    assert admin_client.delete(f"{group}?confirmed=true").status_code == 204
    assert count() == 1, "a request deletes nothing itself"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_field"),
        ({"days": "30"}, "invalid_field"),
        ({"days": True}, "invalid_field"),
        ({"days": 0}, "bad_days_kept"),
        ({"days": 10**12}, "bad_days_kept"),
        ({"days": None, "groups": {"x": 3}}, "unknown_group"),
        ({"days": None, "file_days": 0}, "bad_file_days"),
        ({"days": None, "file_days": "7"}, "invalid_field"),
        ({"days": None, "file_groups": {DEFAULT_GROUP_ID: 3651}}, "bad_file_days"),
        ({"days": None, "file_groups": {"x": 3}}, "unknown_group"),
        ({"days": None, "audit_days": 5}, "bad_audit_retention"),
    ],
)
def test_what_makes_no_sense_is_refused(admin_client: PageClient, body: dict[str, object], code: str) -> None:
    response = admin_client.put(RETENTION, json=body)
    assert (response.status_code, error_code(response)) == (422, code)


def test_only_administrators_say_so(client: PageClient, member_client: PageClient) -> None:
    assert client.put(RETENTION, json={"days": 1}).status_code == 401
    assert member_client.put(RETENTION, json={"days": 1}).status_code == 403


@pytest.mark.parametrize(("locale", "words"), [("en", "after their last message: 30."), ("zh", "30 天后删除")])
def test_people_read_it_where_they_write(
    admin_client: PageClient, member_client: PageClient, locale: str, words: str
) -> None:
    asked = {"Accept-Language": locale}
    assert words not in member_client.get("/", headers=asked).text
    admin_client.put(RETENTION, json={"days": 30})
    assert member_client.get("/", headers=asked).text.count(words) == 2, "in the list, and where a chat begins"
    assert member_client.get("/?temporary", headers=asked).text.count(words) == 1
    admin_client.put(RETENTION, json={"days": 30, "groups": {DEFAULT_GROUP_ID: None}})
    assert words not in member_client.get("/", headers=asked).text


@pytest.mark.parametrize(("locale", "words"), [("en", "they were last attached: 7."), ("zh", "7 天后删除，文件名")])
def test_people_read_how_long_files_are_kept(
    admin_client: PageClient, member_client: PageClient, locale: str, words: str
) -> None:
    asked = {"Accept-Language": locale}
    admin_client.put(RETENTION, json={"days": None, "file_days": 7})
    assert member_client.get("/", headers=asked).text.count(words) == 1, "where a chat begins"
    assert words not in member_client.get("/?temporary", headers=asked).text
    admin_client.put(RETENTION, json={"days": 7, "file_days": 7})
    assert words not in member_client.get("/", headers=asked).text, "their conversations go with them"
    admin_client.put(RETENTION, json={"days": None, "file_days": 7})
    with transaction() as session:
        session.execute(update(Group).values(file_quota_mb=0))
    assert words not in member_client.get("/", headers=asked).text, "they can attach none"
