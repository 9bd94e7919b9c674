"""What somebody gave out ends with their rights: an invitation lets people in while its maker may invite there."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event, select

from flask_app.database import engine, reading
from flask_app.errors import AppError
from flask_app.models import DEFAULT_GROUP_ID, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import (
    account_deletion,
    invitation_admin_service,
    invitation_service,
    managing_service,
    user_admin_service,
)
from flask_app.services.people.invitation_admin_service import Made, Terms
from tests.conftest import MakeUser
from tests.support import managing
from tests.support.invited import HOUSE, join, listed

End = Callable[[User, str], object]


def disable(maker: User, _: str) -> None:
    user_admin_service.change(HOUSE, maker.id, disabled=True)


def demote(maker: User, _: str) -> None:
    user_admin_service.change(HOUSE, maker.id, role="member")


def delete(maker: User, _: str) -> None:
    account_deletion.begin_for(HOUSE, maker.id)


def remove(maker: User, group_id: str) -> None:
    """With all that was theirs."""
    delete(maker, group_id)
    account_deletion.finish()
    with reading() as session:
        assert session.get(User, maker.id) is None


def dismiss(_: User, group_id: str) -> None:
    managing_service.appoint(HOUSE, group_id, ())


def invite(maker: User | None, group_id: str) -> Made:
    return invitation_admin_service.make(Actor(maker), Terms(name="Class 3b", group_id=group_id, most=5))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AppError) as refused:
        act()
    return refused.value.code


ENDS: list[tuple[str, End]] = [
    *(("admin", end) for end in (disable, demote, delete, remove)),
    *(("manager", end) for end in (disable, delete, remove, dismiss)),
]


@pytest.mark.each_case
@pytest.mark.parametrize(("role", "end"), ENDS, ids=lambda each: getattr(each, "__name__", each))
def test_an_invitation_ends_with_its_makers_right(app: Flask, make_user: MakeUser, role: str, end: End) -> None:
    maker, other = make_user("maker", "admin" if role == "admin" else "member"), make_user("other", "admin")
    group = managing.group("Readers", *(["maker"] if role == "manager" else []))
    theirs, others = invite(maker, group), [invite(each, group) for each in (other, None)]
    join(theirs.token, "first")
    end(maker, group)
    assert refusal(lambda: invitation_service.opened(theirs.token, "192.0.2.1")) == "invitation_revoked"
    assert refusal(lambda: join(theirs.token, "back again")) == "invitation_revoked"
    now = listed(theirs.listed.invitation.id)
    assert (now.state, now.invitation.used) == ("lapsed", 1)
    assert now.by == (maker.id if end is remove else "maker"), "who is gone is named by the id"
    for number, each in enumerate(others):
        join(each.token, f"person {number}")
        assert listed(each.listed.invitation.id).state == "open"


def test_who_ends_between_the_look_and_the_use_lets_nobody_in(app: Flask, make_user: MakeUser) -> None:
    maker = make_user("maker", "admin")
    invitation = invite(maker, DEFAULT_GROUP_ID)
    looked: list[str] = []

    def end_it(_: object, __: object, statement: str, *___: object) -> None:
        if "FROM invitations" in statement and not looked:
            looked.append(statement)
            disable(maker, "")

    event.listen(engine(), "after_cursor_execute", end_it)
    try:
        assert refusal(lambda: join(invitation.token, "late")) == "invitation_revoked"
    finally:
        event.remove(engine(), "after_cursor_execute", end_it)
    assert looked
    with reading() as session:
        assert session.scalar(select(User).where(User.username_key == "late")) is None


def test_whoever_has_the_right_again_or_still_lets_people_in(app: Flask, make_user: MakeUser) -> None:
    admin, teacher = make_user("admin", "admin"), make_user("teacher")
    group = managing.group("Readers", "teacher", "admin")
    elsewhere, there, taught = invite(admin, DEFAULT_GROUP_ID), invite(admin, group), invite(teacher, group)
    demote(admin, "")
    states = [listed(each.listed.invitation.id).state for each in (elsewhere, there)]
    assert states == ["lapsed", "open"], "they still manage the one group"
    disable(teacher, "")
    assert listed(taught.listed.invitation.id).state == "lapsed"
    user_admin_service.change(HOUSE, teacher.id, disabled=False)
    join(taught.token, "pupil")


def test_an_invitation_that_lapsed_is_revoked_for_good(app: Flask, make_user: MakeUser) -> None:
    maker = make_user("maker", "admin")
    invitation = invite(maker, DEFAULT_GROUP_ID)
    disable(maker, "")
    assert invitation_admin_service.revoke(HOUSE, invitation.listed.invitation.id).state == "revoked"
    user_admin_service.change(HOUSE, maker.id, disabled=False)
    assert refusal(lambda: join(invitation.token, "late")) == "invitation_revoked"
    assert listed(invitation.listed.invitation.id).state == "revoked"
