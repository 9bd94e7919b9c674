"""Invitations that go by letter, as tests write and read them."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Invitation, InvitationLetter, User
from flask_app.services.people import inviting_many
from flask_app.services.people.invitation_letters import Sending
from flask_app.services.people.inviting_many import MadeFor, Wanted
from tests.support.invited import HOUSE
from tests.support.mail_server import Mail

SITE = "https://chat.example.org"
ONE = "Li Lei,li@example.org"


def made(text: str = ONE, locale: str = "en", site_url: str | None = SITE, **more: Any) -> list[MadeFor]:
    """By a list whose people get letters."""
    return inviting_many.make(more.pop("actor", HOUSE), Wanted(text=text, sending=Sending(site_url, locale), **more))


def people(count: int) -> str:
    return "".join(f",p{number}@example.org\n" for number in range(count))


def keep(invitation_id: str) -> None:
    """As if a letter of it waited, whether the site sends mail or not."""
    now = utc_now()
    with transaction() as session:
        letter = InvitationLetter(invitation_id=invitation_id, email="a@example.org", code=b"", site_url=SITE)
        letter.locale, letter.state, letter.tries, letter.due_at, letter.created_at = "en", "waiting", 0, now, now
        session.add(letter)


def kept() -> list[InvitationLetter]:
    with reading() as session:
        return list(session.scalars(select(InvitationLetter).order_by(InvitationLetter.invitation_id)))


def forgotten() -> bool:
    """Does no letter keep an address or a code?"""
    return bool(kept()) and all((each.email, each.code) == (None, None) for each in kept())


def states() -> list[tuple[str, int, str | None]]:
    return [(each.state, each.tries, each.error_code) for each in kept()]


def change(model: type[Invitation | InvitationLetter | User], row_id: str, **fields: Any) -> None:
    with transaction() as session:
        row = session.get_one(model, row_id)
        for name, value in fields.items():
            setattr(row, name, value)


def are_due() -> None:
    """As if the pause, or the lease, had passed."""
    for letter in kept():
        change(InvitationLetter, letter.invitation_id, due_at=utc_now() - timedelta(minutes=1))


def link_in(mail: Mail) -> str:
    found = re.search(r"^(https?://\S+/join#\S+)$", mail.text, re.MULTILINE)
    assert found, mail.text
    return found[1]
