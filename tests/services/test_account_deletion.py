"""What is removed of somebody who has deleted their account, and what stays."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from flask_app.database import Base, reading, transaction, utc_now
from flask_app.errors import Conflict
from flask_app.models import Attempt, Conversation, Message, Run, SearchPosting, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.conversations import draft_service
from flask_app.services.people import account_deletion
from flask_app.services.search import search_index
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service
from flask_app.services.sign_in.auth_service import Browser
from tests.conftest import PASSWORD, MakeUser
from tests.support import identities, ledger, passkeys, talks
from tests.support.gateway import made
from tests.support.together import at_once

BROWSER = Browser(address="192.0.2.7")


def begin(person: User) -> None:
    with transaction() as session:
        opened = auth_service.open_session(session, person, BROWSER)
    account_deletion.begin(person, digest(opened.token), utc_now(), password=PASSWORD, code=None, browser=BROWSER)


def count(model: type[Base], *where: object) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0  # type: ignore[arg-type]


@pytest.mark.security("deleted-is-gone")
def test_nothing_names_them_any_more_but_the_ledger_and_the_audit_log(app: Flask, member: User, admin: User) -> None:
    talks.branched(admin, title="stays")
    talk = talks.branched(member, folder_id=talks.folder(member, "诗歌").id)
    draft_service.keep(member, talk.id, "not yet sent", "a-key")
    made(member)
    passkeys.keep(member.id)
    identities.link_somebody(member.id)
    budget_admin_service.add(Actor(None), Place(scope="user", scope_id=member.id, period="day"), 1000)
    ledger.write([ledger.entry(member.id, utc_now())])
    search_index.catch_up()
    begin(member)
    account_deletion.finish()
    search_index.catch_up()
    left = {}
    for table in Base.metadata.sorted_tables:
        names = [column for column in table.c if column.name in {"user_id", "scope_id", "actor_id", "target"}]
        if table.name == "users":
            names = [table.c.id]
        for column in names:
            with reading() as session:
                found = session.scalar(select(func.count()).select_from(table).where(column == member.id))
            if found:
                left[f"{table.name}.{column.name}"] = found
    assert set(left) == {
        *("token_usage.user_id", "proxy_logs.user_id", "usage_hourly.user_id"),
        *("audit_log.actor_id", "audit_log.target"),
    }
    assert count(Conversation) == 1, "somebody else's"
    assert count(Message, Message.conversation_id == talk.id) == 0
    assert count(Attempt, Attempt.address != "") == 0
    assert count(SearchPosting, SearchPosting.user_id == member.id) == 0
    assert count(TokenUsage) == 1


def test_who_is_not_gone_stays(app: Flask, member: User) -> None:
    talks.branched(member)
    account_deletion.finish()
    assert count(User, User.id == member.id) == count(Conversation) == 1


def test_an_answer_that_is_still_being_made_is_waited_for(app: Flask, member: User) -> None:
    run = Run(user_id=member.id, worker="another", status="running", lease_expires_at=utc_now() + timedelta(seconds=30))
    begin(member)
    with transaction() as session:
        session.add(run)
    account_deletion.finish()
    assert count(User, User.id == member.id) == 1
    with reading() as session:
        assert session.get_one(Run, run.id).stop_requested is not None
    with transaction() as session:
        session.execute(update(Run).values(status="stopped"))
    account_deletion.finish()
    assert count(User, User.id == member.id) == count(Run) == 0


def test_many_conversations_with_long_branches_go(app: Flask, member: User) -> None:
    """A chain of cascades is followed a few steps only: InnoDB 15, SQLite 1000."""
    said = [("0", None, "user", "?")] + [(str(n), str(n - 1), "user", "?") for n in range(1, 40)]
    for _ in range(3):
        talks.write(member, said)
    begin(member)
    account_deletion.finish()
    assert count(Conversation) == count(Message) == count(User, User.id == member.id) == 0


def test_two_workers_remove_the_same_person_together(app: Flask, member: User) -> None:
    for _ in range(6):
        talks.branched(member)
    begin(member)
    assert at_once(2, lambda _: account_deletion.finish()) == [None, None]
    assert count(User, User.id == member.id) == count(Conversation) == 0


@pytest.mark.security("last-administrator")
def test_of_two_owners_who_leave_together_one_stays(app: Flask, make_user: MakeUser) -> None:
    owners = [make_user("one", "owner"), make_user("other", "owner")]
    outcomes = at_once(2, lambda number: begin(owners[number]))
    assert [each.code for each in outcomes if isinstance(each, Conflict)] == ["last_owner"]
    assert count(User, User.is_owner) == 1
