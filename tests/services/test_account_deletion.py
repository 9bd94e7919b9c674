"""What is removed of somebody who has deleted their account, and what stays."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from flask_app.database import Base, reading, transaction, utc_now
from flask_app.errors import Conflict
from flask_app.models import (
    Attempt,
    Conversation,
    FilePiece,
    KeptFile,
    KnownDevice,
    Message,
    ProgramRequest,
    Run,
    SearchPosting,
    TokenUsage,
    User,
)
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.conversations import draft_service
from flask_app.services.gateway import request_log
from flask_app.services.gateway.request_log import OpenRequest
from flask_app.services.people import account_deletion
from flask_app.services.prompts import own_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from flask_app.services.search import search_index
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.warnings import warning_service
from tests.conftest import PASSWORD, MakeUser
from tests.support import files, identities, ledger, passkeys, sharing, talks, warned
from tests.support.gateway import made
from tests.support.together import at_once

BROWSER = Browser(address="192.0.2.7")


def begin(person: User) -> str:
    """Gives the session's id."""
    with transaction() as session:
        opened = auth_service.open_session(session, person, BROWSER)
    session_id = digest(opened.token)
    account_deletion.begin(person, session_id, utc_now(), password=PASSWORD, code=None, browser=BROWSER)
    return session_id


BreakRow = Callable[[str], Callable[[], None]]


@pytest.fixture
def broken_row() -> Iterator[BreakRow]:
    """A person's row that the database does not give away, until it is mended."""

    def mend() -> None:
        with transaction() as session:
            session.execute(text("DROP TRIGGER IF EXISTS broken_row"))

    def break_row(user_id: str) -> Callable[[], None]:
        refusal = {
            "sqlite": "WHEN OLD.id = '{}' BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "other": "FOR EACH ROW IF OLD.id = '{}' THEN SIGNAL SQLSTATE '45000'; END IF",
        }
        with transaction() as session:
            refused = refusal.get(session.get_bind().dialect.name, refusal["other"]).format(user_id)
            session.execute(text(f"CREATE TRIGGER broken_row BEFORE DELETE ON users {refused}"))
        return mend

    yield break_row
    mend()


def count(model: type[Base], *where: object) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0  # type: ignore[arg-type]


@pytest.mark.security("deleted-is-gone")
def test_nothing_names_them_any_more_but_the_ledger_and_the_audit_log(app: Flask, member: User, admin: User) -> None:
    talks.branched(admin, title="stays")
    talk = talks.branched(member, folder_id=talks.folder(member, "诗歌").id)
    draft_service.keep(member, talk.id, "not yet sent", "a-key")
    own_prompts.add(member, Wanted("sum", "Sum it up", "Sum this up."))
    made(member)
    sharing.keep(member, talk.id)
    files.attach(files.file_of(member, sent=True), talk.id)
    files.file_of(member)
    passkeys.keep(member.id)
    identities.link_somebody(member.id)
    budget_admin_service.add(Actor(None), Place(scope="user", scope_id=member.id, period="day"), 1000)
    ledger.write([ledger.entry(member.id, utc_now())])
    search_index.catch_up()
    begin(member)
    account_deletion.finish()
    search_index.catch_up()
    left: dict[str, int] = {}
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
    assert count(KeptFile) == count(FilePiece) == 0


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


def test_a_conversation_stays_until_its_answer_is_booked(app: Flask, member: User) -> None:
    """Its run goes with it, and another process would take an attempt without one for abandoned."""
    talk = talks.branched(member)
    lease = utc_now() + timedelta(seconds=30)
    run = Run(user_id=member.id, conversation_id=talk.id, worker="another", status="running", lease_expires_at=lease)
    with transaction() as session:
        session.add(run)
    begin(member)
    account_deletion.finish()
    assert count(Conversation) == count(Run) == 1
    with transaction() as session:
        session.execute(update(Run).values(status="stopped"))
    account_deletion.finish()
    assert count(User, User.id == member.id) == count(Conversation) == count(Run) == 0


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


@pytest.mark.security("deleted-is-gone")
def test_no_row_has_their_name_address_browser_or_session(app: Flask, make_user: MakeUser, admin: User) -> None:
    ada = make_user("ada-lovelace", email="ada@example.com")
    warned.use_mail()
    warned.use_webhook()
    warned.change(User, admin.id, email="admin@example.com")
    for scope, scope_id in (("user", ada.id), ("member", ada.group_id)):
        warned.limit(scope, scope_id, 1000)
    warned.use(ada, 1000)
    token = made(ada).token
    for number in range(2):
        known_device(ada, f"device-{number}", is_new=number == 1)
    warning_service.look()
    assert {each.kind for each in warned.notices()} == {"budget", "device"}
    assert {each.channel for each in warned.notices()} == {"email", "webhook"}
    session_id = begin(ada)
    account_deletion.finish()
    marks = (
        ada.id,
        "ada-lovelace",
        "ada@example.com",
        BROWSER.address,
        session_id,
        "device-1",
        token.digest,
        "Edg/150",
    )
    assert rows_with(*marks) == {
        *("token_usage.user_id", "usage_hourly.user_id", "spent_daily.scope_id", "proxy_logs.user_id"),
        *("audit_log.actor_id", "audit_log.actor_name", "audit_log.target", "audit_log.details", "audit_log.address"),
    }


def known_device(person: User, device_id: str, *, is_new: bool) -> None:
    browser = {"user_agent": "Mozilla/5.0 Edg/150.0", "address": BROWSER.address, "email": person.email}
    with transaction() as session:
        session.add(KnownDevice(id=device_id, user_id=person.id, is_new=is_new, **browser))


def rows_with(*marks: str) -> set[str]:
    """Every column of every table in which one of these stands."""
    found = set()
    for table in Base.metadata.sorted_tables:
        with reading() as session:
            rows = session.execute(select(table)).mappings().all()
        for row in rows:
            values = {name: str(value) for name, value in row.items()}
            found |= {f"{table.name}.{name}" for name, value in values.items() if any(mark in value for mark in marks)}
    return found


@pytest.mark.security("deleted-is-gone")
def test_a_reply_that_ends_after_its_person_is_gone_leaves_nothing(app: Flask, member: User) -> None:
    token = made(member).token
    request = request_log.begin(
        OpenRequest(request_id="r", user_id=member.id, token_id=token.id, call="models", address=BROWSER.address)
    )
    begin(member)
    account_deletion.finish()
    assert count(User, User.id == member.id) == 0
    request.close()
    assert request_log.write()
    account_deletion.finish()
    assert count(ProgramRequest) == 0


def test_whoever_cannot_be_removed_keeps_nobody_else(app: Flask, make_user: MakeUser, broken_row: BreakRow) -> None:
    people = sorted((make_user("one"), make_user("other")), key=lambda person: person.id)
    for person in people:
        begin(person)
    mend = broken_row(people[0].id)
    with capture_logs() as logs, pytest.raises(SQLAlchemyError):
        account_deletion.finish()
    assert [each["user"] for each in logs if each["event"] == "account_not_removed"] == [people[0].id]
    assert [count(User, User.id == person.id) for person in people] == [1, 0]
    mend()
    account_deletion.finish()
    assert count(User, User.id == people[0].id) == 0
