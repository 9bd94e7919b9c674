"""Letters to the invited that wait: whose invitation ends, who may invite no more, and those sealed by another key."""

import dataclasses

import pytest

from flask_app import config
from flask_app.database import transaction, utc_now
from flask_app.models import Invitation, InvitationLetter, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_deletion, group_service, invitation_admin_service
from flask_app.services.people.group_service import Choices
from flask_app.services.people.invitation_letters import send_due
from flask_app.services.secrets import sealed
from flask_app.services.warnings.notice_service import GIVE_UP
from tests.conftest import MakeUser
from tests.support.invited import HOUSE, join
from tests.support.lettered import are_due, change, forgotten, kept, link_in, made, people, states
from tests.support.mail_server import MailServer

ANOTHER = "another key that only this test knows, as long"


@pytest.mark.security("invitation-letters")
def test_a_revoked_invitation_is_never_sent(mail: MailServer) -> None:
    (one,) = made()
    stands = invitation_admin_service.revoke(HOUSE, one.made.listed.invitation.id)
    assert stands.letter is not None
    assert stands.letter.state == "dropped"
    assert forgotten()
    are_due()
    send_due()
    assert mail.mails == []


@pytest.mark.security("invitation-letters")
def test_one_that_ended_while_its_letter_was_retried_is_forgotten(mail: MailServer) -> None:
    """Whatever ended it; also where no mail goes out at all any more."""
    group = group_service.add(HOUSE, Choices(name="Readers")).group.id
    expired, used, left = (each.made for each in made(people(3), group_id=group))
    change(Invitation, expired.listed.invitation.id, expires_at=utc_now())
    join(used.token, "quick")
    config.install(dataclasses.replace(config.current(), mail=None))
    send_due()
    stands = {each.invitation_id: each.state for each in kept()}
    assert stands == {
        expired.listed.invitation.id: "dropped",
        used.listed.invitation.id: "dropped",
        left.listed.invitation.id: "waiting",
    }
    group_deletion.delete(HOUSE, group)
    send_due()
    assert {each.state for each in kept()} == {"dropped"}
    assert (forgotten(), mail.mails) == (True, [])


def test_one_that_ends_while_it_is_sent_was_sent(mail: MailServer) -> None:
    (one,) = made()

    def revoke() -> None:
        invitation_admin_service.revoke(HOUSE, one.made.listed.invitation.id)

    mail.on_taken = revoke
    send_due()
    assert (states(), forgotten()) == ([("sent", 1, None)], True)


@pytest.mark.security("invitation-letters")
@pytest.mark.parametrize("change_of", [{"disabled": True}, {"role": "member"}])
def test_whoever_may_invite_no_more_sends_no_more(
    mail: MailServer, make_user: MakeUser, change_of: dict[str, object]
) -> None:
    intruder, other = make_user("intruder", "admin"), make_user("other", "admin")
    made(actor=Actor(intruder, ""))
    made("Han Mei,han@example.org", actor=Actor(other, ""))
    change(User, intruder.id, **change_of)
    send_due()
    assert [each.recipients for each in mail.mails] == [["han@example.org"]]
    assert (sorted(state for state, *_ in states()), forgotten()) == (["dropped", "sent"], True)


def test_a_key_that_is_rotated_meanwhile_seals_it_anew(mail: MailServer) -> None:
    (one,) = made()
    old = config.current().encryption_key
    config.install(dataclasses.replace(config.current(), encryption_key=ANOTHER, old_encryption_key=old))
    with transaction() as session:
        assert sealed.reseal(session.connection()).resealed == 1
    config.install(dataclasses.replace(config.current(), old_encryption_key=None))
    send_due()
    assert link_in(mail.last).endswith(one.made.token)


def test_one_that_this_process_has_no_key_for_waits_for_one_that_has(mail: MailServer) -> None:
    """While instances get a new key one after the other, or one was started with a key that is mistyped."""
    (one,) = made()
    usual = config.current()
    config.install(dataclasses.replace(usual, encryption_key=ANOTHER))
    send_due()
    assert (states(), mail.mails) == ([("waiting", 1, "letter_unreadable")], [])
    config.install(usual)
    are_due()
    send_due()
    assert (states(), len(mail.mails)) == ([("sent", 2, None)], 1)
    lost = one.made.listed.invitation.id
    change(
        InvitationLetter, lost, state="waiting", email="a@example.org", code=b"x", created_at=utc_now() - GIVE_UP * 2
    )
    are_due()
    send_due()
    assert (states(), forgotten()) == ([("failed", 3, "letter_unreadable")], True)


def test_the_round_ends_where_one_is_sealed_by_another_key(mail: MailServer) -> None:
    made(people(3))
    config.install(dataclasses.replace(config.current(), encryption_key=ANOTHER))
    send_due()
    assert sorted(tries for _, tries, _ in states()) == [0, 0, 1]
