"""/api/admin/audit and its page: what was done, by whom, to what, and when."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from flask_app.database import engine, fetching, first_id, transaction
from flask_app.models import AuditEntry, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import ACTIONS, COMMAND_LINE
from tests.conftest import MakeUser
from tests.support.clients import PageClient
from tests.support.entrance import error_code

AUDIT = "/api/admin/audit"
FORMER, LATER = (
    datetime(2026, 3, 1, 15, 59, tzinfo=UTC),
    datetime(2026, 3, 1, 16, 1, tzinfo=UTC),
)  # midnight in Shanghai


def page(client: PageClient, **wanted: Any) -> Any:
    reply = client.get(AUDIT, query_string=wanted)
    assert reply.status_code == 200, reply.text
    return json.loads(reply.text)


def told(client: PageClient, **wanted: Any) -> list[dict[str, Any]]:
    return list(page(client, **wanted)["entries"])


def write(actor: User | None, action: str, target: str, details: dict[str, object], at: datetime) -> None:
    name = actor.username if actor else COMMAND_LINE
    row = {"id": first_id(at), "actor_id": actor.id if actor else None, "actor_name": name, "created_at": at}
    row |= {"action": action, "target": target, "details": json.dumps(details), "address": ""}
    with transaction() as session:
        session.execute(insert(AuditEntry).values(row))


@pytest.fixture
def two(admin: User) -> None:
    write(None, "group.add", "g1", {"name": "class"}, FORMER)
    write(admin, "group.delete", "g1", {"name": "class"}, LATER)


def test_an_act_is_told_with_who_did_it_and_what_changed(owner_client: PageClient, owner: User, member: User) -> None:
    admin_client, admin = owner_client, owner
    admin_client.patch(f"/api/admin/users/{member.id}", json={"role": "admin"})
    newest = told(admin_client)[0]
    assert newest == newest | {
        "actor": admin.username,
        "actor_id": admin.id,
        "action": "user.change",
        "target": member.id,
        "address": "127.0.0.1",
    }
    assert newest["details"]["before"] == {"role": "member"}
    assert newest["details"]["after"] == {"role": "admin"}


@pytest.mark.usefixtures("two")
def test_it_is_searched_by_who_what_to_what_and_when(admin_client: PageClient, admin: User) -> None:
    def actions(**wanted: Any) -> list[str]:
        return [entry["action"] for entry in told(admin_client, **wanted)]

    assert actions() == ["group.delete", "group.add"]
    assert actions(who=admin.username.upper()) == ["group.delete"]
    assert actions(who=COMMAND_LINE) == ["group.add"]
    assert actions(who="nobody") == []
    assert actions(action="group.add") == ["group.add"]
    assert actions(about="g1") == ["group.delete", "group.add"]
    assert actions(about="g2") == []
    assert actions(to="2026-03-01") == ["group.add"]
    assert actions(**{"from": "2026-03-02"}) == ["group.delete"]
    assert actions(who=admin.username, action="group.add", about="g1") == []


def test_whoever_deleted_their_account_is_found_by_the_name_it_had(
    admin_client: PageClient, make_user: MakeUser
) -> None:
    gone, namesake = User(id="g", username="Erika"), make_user("erika")
    write(gone, "group.add", "g1", {"name": "class"}, FORMER)
    write(gone, "account.delete", "g", {"username": "Erika"}, LATER)
    write(namesake, "group.delete", "g1", {"name": "class"}, LATER.replace(minute=2))
    write(User(id="h", username="Hans"), "account.delete", "h", {"username": "Hans"}, LATER.replace(minute=3))
    found = [(entry["actor_id"], entry["action"]) for entry in told(admin_client, who="erika")]
    assert found == [(namesake.id, "group.delete"), ("g", "account.delete"), ("g", "group.add")]
    assert [entry["action"] for entry in told(admin_client, who="erika", about="g1")] == ["group.delete", "group.add"]


def test_pages_follow_each_other_without_a_gap(admin_client: PageClient, query_count: Any) -> None:
    for second in range(7):
        write(None, "key.test", f"k{second}", {}, FORMER.replace(second=second))
    with query_count() as few:
        first = page(admin_client, limit=2)
    with query_count() as many:
        rest = page(admin_client, limit=100, before=first["next"])
    assert [entry["target"] for entry in first["entries"] + rest["entries"]] == [f"k{n}" for n in range(6, -1, -1)]
    assert rest["next"] is None
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"action": "user.eat"}, "unknown_action"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "backwards_range"),
        ({"from": "yesterday"}, "bad_date"),
        ({"about": "x" * 129}, "search_too_long"),
        ({"who": "a\x07b"}, "bad_word"),
        ({"limit": "101"}, "bad_limit"),
        ({"before": "x"}, "bad_cursor"),
    ],
)
def test_what_makes_no_sense_is_refused(admin_client: PageClient, wanted: dict[str, str], code: str) -> None:
    reply = admin_client.get(AUDIT, query_string=wanted)
    assert (reply.status_code, error_code(reply)) == (400, code)


@pytest.mark.parametrize("name", ['Bearer abc"def', 'mingchat=abc"def', "sk-canary0123456789\\", '://a:b"c@d'])
def test_what_looks_like_a_secret_hides_no_entry(
    admin_client: PageClient, member_client: PageClient, name: str
) -> None:
    made = member_client.post("/api/tokens", json={"name": name})
    assert made.status_code == 201, made.text
    (entry,) = told(admin_client, action="token.create")
    assert "[redacted]" in entry["details"]["name"]


def test_an_entry_that_cannot_be_read_is_told_as_it_stands(admin_client: PageClient) -> None:
    write(None, "key.test", "k1", {}, FORMER)
    with transaction() as session:
        session.execute(update(AuditEntry).values(details='{"label": "Bearer [redacted]"def"}'))
    assert told(admin_client)[0]["details"] == {"text": '{"label": "Bearer [redacted]"def"}'}


def test_nobody_else_reads_it(client: PageClient, member_client: PageClient) -> None:
    assert client.get(AUDIT).status_code == 401
    assert member_client.get(AUDIT).status_code == 403


def test_an_act_without_a_name_is_not_recorded(admin: User) -> None:
    with pytest.raises(ValueError, match=r"user\.eat"), transaction() as session:
        audit_service.record(session, admin, "user.eat", admin.id)


def test_every_action_has_a_name_once() -> None:
    assert len(set(ACTIONS)) == len(ACTIONS)


def test_what_was_done_to_one_thing_is_found_by_the_thing(admin: User, admin_client: PageClient) -> None:
    """However much its person does, and however often: SQLite would think those two together the rarer."""
    asked: list[tuple[str, Any]] = []

    def keep(*given: Any) -> None:
        if "FROM audit_log" in given[2]:
            asked.append((given[2], given[3]))

    event.listen(engine(), "before_cursor_execute", keep)
    told(admin_client, who=admin.username, action="user.change", about="somebody")
    event.remove(engine(), "before_cursor_execute", keep)
    *_, (statement, values) = asked
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert [step.detail for step in plan if "ix_audit_log_target_id (target=?)" in step.detail], plan
        else:
            assert "likely(" not in statement
