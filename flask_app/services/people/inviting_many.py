"""Many people invited at once, by a list: each gets an invitation of their own, or nobody does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from flask_app.database import in_transaction, utc_now
from flask_app.domain import invited_list, typed_code
from flask_app.domain.invited_list import Invited, Unreadable
from flask_app.errors import Invalid
from flask_app.i18n import translate
from flask_app.models import DEFAULT_GROUP_ID, Group, Invitation
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, invitation_admin_service, invitation_letters
from flask_app.services.people.invitation_admin_service import MAX_NAME, Letter, Listed, Made
from flask_app.services.people.invitation_letters import WAITING, Outgoing, Sending
from flask_app.services.people.invitation_service import digest_of
from flask_app.services.warnings import mail_service

MOST = 500  # people on a list
MOST_TOLD = 20  # mistakes in a sentence


class ListRefused(Invalid):
    """`mistakes` of `params`: of each the `line` where it is, its `code`, and what its sentence is filled with."""

    code = "invitation_list_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`text` is the list; whoever has no group there comes into `group_id`.

    With `sending`, whoever has an address gets a letter.
    """

    text: str
    group_id: str = DEFAULT_GROUP_ID
    days: int = 7
    sending: Sending | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One of the list, as they are invited. `email` may be empty."""

    name: str
    email: str
    group_id: str


@dataclass(frozen=True, slots=True)
class MadeFor:
    """An invitation and whom it is for."""

    made: Made
    email: str


def make(actor: Actor, wanted: Wanted) -> list[MadeFor]:
    """An invitation for each person of the list, in its order, and the letters that are wanted.

    Raises Invalid, and nothing is made: ListRefused with every mistake, "invitation_list_empty",
    "invitation_list_too_long", "bad_invitation_days", "unknown_group", and what `invitation_letters` raises.
    """
    invitation_admin_service.check_days(wanted.days)
    if wanted.sending:
        invitation_letters.check(wanted.sending)
    people = _people(wanted)
    codes = [typed_code.shown(typed_code.new()) for _ in people]
    listed = in_transaction(lambda session: _make_all(session, actor, wanted, people, codes))
    made = map(Made, listed, codes)
    return [MadeFor(each, person.email) for each, person in zip(made, people, strict=True)]


def mistakes_in(locale: str, error: ListRefused) -> str:
    """A line for each mistake, as a reader of `locale` is told."""
    mistakes: list[dict[str, Any]] = list(error.params["mistakes"])  # type: ignore[call-overload]
    told = [
        translate(
            locale, "invitation.at_line", line=each["line"], mistake=translate(locale, f"error.{each['code']}", **each)
        )
        for each in mistakes[:MOST_TOLD]
    ]
    if len(mistakes) > MOST_TOLD:
        told.append(translate(locale, "invitation.more_mistakes", count=len(mistakes) - MOST_TOLD))
    return "\n".join(told)


def _make_all(session: Session, actor: Actor, wanted: Wanted, people: list[Person], codes: list[str]) -> list[Listed]:
    written_to = sum(bool(person.email) for person in people) if wanted.sending else 0
    if written_to:
        invitation_letters.require_room(session, written_to)
    groups = group_service.all_chosen(session, {person.group_id for person in people})
    invitations = [_invitation(actor, *each, wanted.days) for each in zip(people, codes, strict=True)]
    session.add_all(invitations)
    session.flush()
    if wanted.sending:
        letters = map(Outgoing, [each.id for each in invitations], [person.email for person in people], codes)
        invitation_letters.write(session, wanted.sending, [letter for letter in letters if letter.email])
    _note(session, actor, invitations, groups, {"days": wanted.days, "letters": written_to})
    by = actor.user.username if actor.user else None
    letter = Letter(WAITING) if wanted.sending else None
    return [
        Listed(each, groups[each.group_id or ""], "open", by, letter if person.email else None)
        for each, person in zip(invitations, people, strict=True)
    ]


def _note(
    session: Session, actor: Actor, invitations: list[Invitation], groups: Mapping[str, Group], terms: dict[str, int]
) -> None:
    """An entry of each, by which whoever asks about one finds who made it; and one of all."""
    for each in invitations:
        name = groups[each.group_id or ""].name
        details = {"name": each.name, "group": name, "most": each.most, "days": terms["days"]}
        audit_service.record(session, actor.user, "invitation.make", each.id, details, actor.address)
    named = sorted({groups[each.group_id or ""].name for each in invitations})
    of_all = {"count": len(invitations), "groups": named, **terms}
    audit_service.record(session, actor.user, "invitation.make_many", invitations[0].id, of_all, actor.address)


def _people(wanted: Wanted) -> list[Person]:
    try:
        rows = invited_list.read(wanted.text)
    except Unreadable as error:
        raise ListRefused(mistakes=[{"line": error.line, "code": "invitation_line_unreadable"}]) from error
    if not rows:
        raise Invalid("invitation_list_empty")
    if len(rows) > MOST:
        raise Invalid("invitation_list_too_long", limit=MOST, count=len(rows))
    checked = _Checked(wanted.group_id, group_service.ids_of({row.group for row in rows if row.group}))
    people = [checked.person(row) for row in rows]
    if checked.mistakes:
        raise ListRefused(mistakes=checked.mistakes)
    return people


class _Checked:
    """Rows that are gone through one after another, with what is wrong in them."""

    def __init__(self, group_id: str, groups: dict[str, str]) -> None:
        self.mistakes: list[dict[str, Any]] = []
        self._group_id = group_id
        self._groups = groups
        self._lines: dict[str, int] = {}  # where an address was first

    def person(self, row: Invited) -> Person:
        """Whom the row invites; of no use where it has a mistake."""
        if row.surplus:
            self._note(row, "invitation_line_too_wide")
        email = self._email(row)
        name = row.name or email.partition("@")[0][:MAX_NAME]
        if not (row.name or row.email):
            self._note(row, "invitation_line_nameless")
        elif not (len(name) <= MAX_NAME and name.isprintable()):
            self._note(row, "bad_label", limit=MAX_NAME)
        if row.group and row.group not in self._groups:
            self._note(row, "invitation_group_unknown", name=row.group)
        return Person(name, email, self._groups.get(row.group, self._group_id))

    def _email(self, row: Invited) -> str:
        if not row.email:
            return ""
        try:
            email = mail_service.checked(row.email)
        except Invalid as error:
            self._note(row, error.code)
            return ""
        before = self._lines.setdefault(mail_service.folded(email), row.line)
        if before != row.line:
            self._note(row, "invitation_email_twice", email=email, before=before)
        return email

    def _note(self, row: Invited, code: str, **words: object) -> None:
        self.mistakes.append({"line": row.line, "code": code, **words})


def _invitation(actor: Actor, person: Person, code: str, days: int) -> Invitation:
    now = utc_now()
    invitation = Invitation(name=person.name, digest=digest_of(code), group_id=person.group_id, most=1, used=0)
    invitation.created_at, invitation.expires_at = now, now + timedelta(days=days)
    invitation.user_id = actor.user.id if actor.user else None
    return invitation
