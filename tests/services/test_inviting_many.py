"""Of a list everybody is invited, or nobody."""

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.errors import Invalid
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Invitation, User
from flask_app.services.audit import audit_search
from flask_app.services.audit.audit_search import Filter
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, inviting_many
from flask_app.services.people.group_service import Choices
from flask_app.services.people.inviting_many import ListRefused, MadeFor, Wanted
from tests.support.invited import HOUSE, join, listed

LIST = "Li Lei,li@example.org,Readers\nHan Meimei\n,somebody@example.org,everyone\n"


def make(text: str, **more: object) -> list[MadeFor]:
    return inviting_many.make(HOUSE, Wanted(text=text, **more))  # type: ignore[arg-type]


def mistakes(text: str) -> list[tuple[object, object]]:
    with pytest.raises(ListRefused) as refused:
        make(text)
    found = refused.value.params["mistakes"]
    assert isinstance(found, list)
    return [(each["line"], each["code"]) for each in found]


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Invitation)) or 0


def test_everybody_gets_an_invitation_of_their_own(app: Flask) -> None:
    readers = group_service.add(HOUSE, Choices(name="Readers")).group.id
    writers = group_service.add(HOUSE, Choices(name="Writers")).group.id
    made = make(LIST, group_id=writers, days=30)
    told = [(each.made.listed.invitation.name, each.email, each.made.listed.invitation.group_id) for each in made]
    assert told == [
        ("Li Lei", "li@example.org", readers),
        ("Han Meimei", "", writers),
        ("somebody", "somebody@example.org", DEFAULT_GROUP_ID),
    ]
    for number, each in enumerate(made):
        invitation = each.made.listed.invitation
        assert (invitation.most, (invitation.expires_at - invitation.created_at).days) == (1, 30)
        assert join(each.made.token, f"person {number}").user.group_id == invitation.group_id
        assert listed(invitation.id).state == "used_up"


def test_the_audit_log_has_an_entry_of_each_and_one_of_all(app: Flask) -> None:
    group_service.add(HOUSE, Choices(name="Readers"))
    ids = [each.made.listed.invitation.id for each in make(LIST)]
    with reading() as session:
        whole = select(AuditEntry).where(AuditEntry.action.startswith("invitation")).order_by(AuditEntry.id)
        *each_ones, entry = session.scalars(whole)
    assert [(each.action, each.target) for each in each_ones] == [("invitation.make", each) for each in ids]
    assert (entry.action, entry.target) == ("invitation.make_many", ids[0])
    assert json.loads(entry.details) == {"count": 3, "groups": ["Everyone", "Readers"], "days": 7, "letters": 0}


def test_whoever_asks_about_any_one_finds_its_making(app: Flask, admin: User) -> None:
    group_service.add(HOUSE, Choices(name="Readers"))
    made = inviting_many.make(Actor(admin, "192.0.2.7"), Wanted(text=LIST))
    zone = ZoneInfo("UTC")
    for each, (name, group) in zip(
        made, (("Li Lei", "Readers"), ("Han Meimei", "Everyone"), ("somebody", "Everyone")), strict=True
    ):
        wanted = Filter(about=each.made.listed.invitation.id, action="invitation.make")
        (found,) = audit_search.search(zone, wanted).entries
        assert (found.entry.actor_name, found.entry.address) == ("admin", "192.0.2.7")
        assert found.details == {"name": name, "group": group, "most": 1, "days": 7}


def test_the_entries_of_many_are_written_together(app: Flask, query_count: Callable[[], Any]) -> None:
    with query_count() as few:
        make("\n".join(f"person {number}" for number in range(2)))
    with query_count() as many:
        make("\n".join(f"person {number}" for number in range(40)))
    assert few
    assert len(many) == len(few)


def test_every_mistake_is_told_with_its_line_and_nothing_is_made(app: Flask) -> None:
    long = "x" * 65
    text = (
        "name,email,group\n"
        "Li Lei,li@example.org\n"
        "Han,nowhere,Nobody's\n"
        "Again,LI@example.org\n"
        f"{long}\n"
        ",,3b\n"
        "a,b@example.org,everyone,more\n"
        '"two\nlines"\n'
    )
    assert mistakes(text) == [
        (3, "bad_email"),
        (3, "invitation_group_unknown"),
        (4, "invitation_email_twice"),
        (5, "bad_label"),
        (6, "invitation_line_nameless"),
        (6, "invitation_group_unknown"),
        (7, "invitation_line_too_wide"),
        (8, "bad_label"),
    ]


def test_addresses_are_compared_as_mail_servers_do() -> None:
    """straße.example.org and strasse.example.org are two domains; small letters and large ones are one."""
    two = "A,a@straße.example.org\nB,a@strasse.example.org\n"
    assert mistakes(two + "C,a@xn--strae-oqa.example.org\nD,A@STRASSE.example.org\n") == [
        (3, "invitation_email_twice"),
        (4, "invitation_email_twice"),
    ]
    assert mistakes('good\n"open') == [(2, "invitation_line_unreadable")]
    assert count() == 0


def test_mistakes_are_sentences_in_the_readers_language(app: Flask) -> None:
    with pytest.raises(ListRefused) as refused:
        make("a,li@example.org\nb,li@example.org\nc,d,e")
    english, chinese = (inviting_many.mistakes_in(locale, refused.value).split("\n") for locale in ("en", "zh"))
    assert english[0] == "Line 2: The address li@example.org is in line 1 already."
    assert english[2] == "Line 3: There is no group “e”."
    assert chinese[2] == "第 3 行：没有用户组“e”。"
    with pytest.raises(ListRefused) as refused:
        make("a,b\n" * 30)
    assert inviting_many.mistakes_in("en", refused.value).split("\n")[20:] == ["And more mistakes: 10."]


@pytest.mark.parametrize(
    ("text", "more", "code"),
    [
        ("\n", {}, "invitation_list_empty"),
        ("name,email,group\n", {}, "invitation_list_empty"),
        ("x\n" * 501, {}, "invitation_list_too_long"),
        ("x", {"days": 0}, "bad_invitation_days"),
        ("x", {"days": 31}, "bad_invitation_days"),
        ("x", {"group_id": "nowhere"}, "unknown_group"),
    ],
)
def test_what_makes_no_sense_is_refused(app: Flask, text: str, more: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid, match=code):
        make(text, **more)
    assert count() == 0


def test_five_hundred_are_invited_at_once_and_each_by_another_code(app: Flask) -> None:
    made = make("".join(f"person {number},p{number}@example.org\n" for number in range(500)))
    assert len({each.made.token for each in made}) == 500 == count()


def test_the_default_group_is_called_as_in_any_language(app: Flask) -> None:
    assert {each.made.listed.invitation.group_id for each in make("a,,Everyone\nb,,所有人")} == {DEFAULT_GROUP_ID}
