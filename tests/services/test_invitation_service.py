"""By an invitation come as many as were invited, whatever happens in the same moment."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from flask_app.database import engine, reading, transaction, utc_now
from flask_app.errors import AppError, TooMany
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Invitation, LoginSession, User
from flask_app.services.people import (
    group_deletion,
    group_service,
    invitation_admin_service,
    invitation_service,
    password_links,
)
from flask_app.services.people.group_service import Choices
from flask_app.services.people.invitation_admin_service import Made
from flask_app.services.secrets.signing import digest
from tests.support.invited import HOUSE, join, listed, made
from tests.support.together import at_once


def people() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def expire(invitation_id: str) -> None:
    with transaction() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(Invitation).where(Invitation.id == invitation_id).values(expires_at=past))


def new_group(name: str) -> str:
    return group_service.add(HOUSE, Choices(name=name)).group.id


def outcomes_of(found: list[object]) -> Counter[str]:
    return Counter(each.code if isinstance(each, AppError) else type(each).__name__ for each in found)


@pytest.mark.parametrize("most", [1, 3])
def test_of_many_at_once_as_many_come_in_as_were_invited(app: Flask, most: int) -> None:
    invitation = made(most=most)
    found = at_once(8, lambda number: join(invitation.token, f"person {number}", address=f"192.0.2.{number}"))
    assert outcomes_of(found) == {"SignedIn": most, "invitation_used_up": 8 - most}
    assert people() == most
    now = listed(invitation.listed.invitation.id)
    assert (now.invitation.used, now.state) == (most, "used_up")


def test_of_many_who_want_one_name_one_gets_it_and_one_use_is_gone(app: Flask) -> None:
    invitation = made(most=8)
    found = at_once(8, lambda number: join(invitation.token, "小明", address=f"192.0.2.{number}"))
    assert outcomes_of(found) == {"SignedIn": 1, "username_taken": 7}
    assert (people(), listed(invitation.listed.invitation.id).invitation.used) == (1, 1)


def test_who_comes_in_is_a_member_of_the_group_with_a_session_and_a_trace(app: Flask) -> None:
    group_id = new_group("Readers")
    invitation = made(group_id=group_id)
    signed_in = join(invitation.token, " Li Lei ")
    with reading() as session:
        user = session.scalars(select(User)).one()
        assert (user.username, user.role, user.group_id) == ("Li Lei", "member", group_id)
        assert user.id == signed_in.user.id == session.scalars(select(LoginSession.user_id)).one()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "invitation.use")).one()
    assert (entry.actor_id, entry.target) == (user.id, invitation.listed.invitation.id)
    assert entry.address == "192.0.2.1"
    assert "Class 3b" in entry.details


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("", "two sparrows under one umbrella", "username_invalid"),
        ("ＴＡＫＥＮ", "two sparrows under one umbrella", "username_taken"),
        ("new", "short", "password_too_short"),
        ("new person here", "new person here new", "password_like_name"),
    ],
)
def test_what_is_refused_uses_nothing(app: Flask, username: str, password: str, code: str) -> None:
    join(made().token, "taken")
    invitation = made()
    with pytest.raises(AppError, match=code):
        join(invitation.token, username, password)
    assert listed(invitation.listed.invitation.id).invitation.used == 0
    join(invitation.token, "another")


def test_a_link_that_is_over_says_why(app: Flask) -> None:
    used, revoked, expired, left = made(), made(), made(), made(group_id=new_group("Gone"))
    join(used.token, "first")
    invitation_admin_service.revoke(HOUSE, revoked.listed.invitation.id)
    expire(expired.listed.invitation.id)
    group_deletion.delete(HOUSE, left.listed.invitation.group_id or "")
    for invitation, state in ((used, "used_up"), (revoked, "revoked"), (expired, "expired"), (left, "revoked")):
        for _ in range(2):  # the second one: nothing was changed by being refused
            with pytest.raises(AppError, match=f"invitation_{state}"):
                join(invitation.token, "late")
            with pytest.raises(AppError, match=f"invitation_{state}"):
                invitation_service.opened(invitation.token, "192.0.2.1")
        assert listed(invitation.listed.invitation.id).state == state
    assert listed(left.listed.invitation.id).group is None
    assert people() == 1


@pytest.mark.each_case
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda made: invitation_admin_service.revoke(HOUSE, made.listed.invitation.id), "invitation_revoked"),
        (lambda made: expire(made.listed.invitation.id), "invitation_expired"),
        (lambda made: join(made.token, "quicker"), "invitation_used_up"),
        (lambda made: group_deletion.delete(HOUSE, made.listed.invitation.group_id), "invitation_revoked"),
    ],
    ids=["revoked", "expired", "used up", "group deleted"],
)
def test_what_ends_it_between_the_look_and_the_use_is_seen(
    app: Flask, change: Callable[[Made], object], code: str
) -> None:
    """A password is hashed meanwhile, which takes its time."""
    invitation = made(group_id=new_group("Readers"))
    looked: list[str] = []

    def end_it(_: object, __: object, statement: str, *___: object) -> None:
        if "FROM invitations" in statement and not looked:
            looked.append(statement)
            change(invitation)

    event.listen(engine(), "after_cursor_execute", end_it)
    try:
        with pytest.raises(AppError, match=code):
            join(invitation.token, "late")
    finally:
        event.remove(engine(), "after_cursor_execute", end_it)
    assert looked
    with reading() as session:
        assert session.scalar(select(User).where(User.username_key == "late")) is None


def test_guesses_are_limited_and_what_was_good_once_is_no_guess(app: Flask) -> None:
    over, still_open = made(), made()
    invitation_admin_service.revoke(HOUSE, over.listed.invitation.id)
    for _ in range(12):  # a class behind one address opens an old link
        with pytest.raises(AppError, match="invitation_revoked"):
            invitation_service.opened(over.token, "192.0.2.9")
    for _ in range(60):
        with pytest.raises(AppError, match="invitation_unknown"):
            invitation_service.opened("guess", "192.0.2.9")
    with pytest.raises(TooMany):
        join(still_open.token, "guesser", address="192.0.2.9")
    join(still_open.token, "other", address="192.0.2.10")


def test_what_many_mistype_at_once_is_no_lock_for_those_who_choose_a_password(app: Flask) -> None:
    for _ in range(60):
        with pytest.raises(AppError, match="invitation_unknown"):
            invitation_service.opened("0000-0000-0000-0000", "192.0.2.9")
    with pytest.raises(AppError, match="reset_link_invalid"):
        password_links.owner("guess", "192.0.2.9")


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda token: token.replace("-", ""),
        lambda token: f"  {token.replace('-', ' ')} ",
        lambda token: token.replace("0", "o").replace("1", "l"),
        lambda token: "".join(chr(ord(each) + 0xFEE0) for each in token),
    ],
    ids=["small", "in one", "with blanks", "letters for digits", "wide"],
)
def test_the_token_of_a_link_is_a_code_however_it_is_typed(app: Flask, typed: Callable[[str], str]) -> None:
    invitation = made(most=2)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", invitation.token)
    assert invitation_service.opened(typed(invitation.token), "192.0.2.1").id == invitation.listed.invitation.id
    join(typed(invitation.token), "by code")
    join(invitation.token, "by link")
    assert listed(invitation.listed.invitation.id).invitation.used == 2


def test_older_versions_open_the_link_of_a_code(app: Flask) -> None:
    """They look for the digest of the token as it stands in the link."""
    invitation = made()
    assert invitation.listed.invitation.digest == digest(invitation.token)


def test_a_code_that_is_one_character_off_opens_nothing(app: Flask) -> None:
    token = made().token
    for wrong in (token[:-1], f"{token}0", token[:-1] + ("0" if token[-1] != "0" else "2"), f"{token}!"):
        with pytest.raises(AppError, match="invitation_unknown"):
            invitation_service.opened(wrong, "192.0.2.1")


def test_links_that_are_older_than_codes_open_what_they_did(app: Flask) -> None:
    token = secrets.token_urlsafe(32)
    invitation = made()
    with transaction() as session:
        older = update(Invitation).where(Invitation.id == invitation.listed.invitation.id)
        session.execute(older.values(digest=digest(token)))
    join(token, "by an old link")
    with pytest.raises(AppError, match="invitation_unknown"):
        join(invitation.token, "by another")


@pytest.mark.security("token-shown-once")
def test_a_token_is_stored_nowhere(app: Flask) -> None:
    invitation = made()
    join(invitation.token, "person")
    invitation_admin_service.revoke(HOUSE, invitation.listed.invitation.id)
    with reading() as session:
        rows = [*session.scalars(select(Invitation)), *session.scalars(select(AuditEntry))]
    assert len(rows) == 3, "made and used; one that is over is not revoked"
    for secret in (invitation.token, invitation.token.replace("-", "")):
        assert not [row for row in rows if secret in repr(vars(row))]


def test_revoking_leaves_one_trace_with_what_it_was_and_is(app: Flask) -> None:
    invitation = made(most=5)
    join(invitation.token, "person")
    for _ in range(2):
        assert invitation_admin_service.revoke(HOUSE, invitation.listed.invitation.id).state == "revoked"
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "invitation.revoke")).one()
    assert json.loads(entry.details) == {
        "name": "Class 3b",
        "used": 1,
        "most": 5,
        "before": {"state": "open"},
        "after": {"state": "revoked"},
    }


def test_many_come_in_while_their_group_is_deleted_and_the_link_revoked(app: Flask) -> None:
    """Locks are taken in one order: nobody is broken off, and everybody who came in is in a group."""
    group_id = new_group("Readers")
    invitation = made(group_id=group_id, most=500)

    def act(number: int) -> object:
        if number == 5:
            return invitation_admin_service.revoke(HOUSE, invitation.listed.invitation.id).state
        if number == 7:
            group_deletion.delete(HOUSE, group_id)
            return "deleted"
        return join(invitation.token, f"person {number}", address=f"192.0.2.{number}")

    found = outcomes_of(at_once(12, act))
    assert found["SignedIn"] + found["invitation_revoked"] == 10, found
    with reading() as session:
        assert set(session.scalars(select(User.group_id))) <= {DEFAULT_GROUP_ID}
    assert people() == found["SignedIn"] == listed(invitation.listed.invitation.id).invitation.used
