"""Letters to the invited: each sent once by one process of all, tried again, given up, and then forgotten."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from flask_app import config
from flask_app.database import reading, utc_now
from flask_app.errors import Invalid, TooMany
from flask_app.models import Invitation, InvitationLetter
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import invitation_letters
from flask_app.services.people.invitation_letters import send_due
from flask_app.services.warnings.notice_service import GIVE_UP
from tests.conftest import MakeUser
from tests.support import ports
from tests.support.invited import join, listed
from tests.support.lettered import SITE, are_due, change, forgotten, kept, link_in, made, people, states
from tests.support.mail_server import MailServer
from tests.support.registered import audited
from tests.support.storage import ROOT
from tests.support.together import at_once
from tests.support.warned import use_mail


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Invitation)) or 0


@pytest.mark.security("invitation-letters")
def test_a_letter_brings_its_person_in(mail: MailServer, make_user: MakeUser) -> None:
    (one,) = made(actor=Actor(make_user("teacher", "admin")), days=30)
    assert states() == [("waiting", 0, None)]
    send_due()
    send_due()
    (letter,) = mail.mails
    invitation = one.made.listed.invitation
    assert letter.recipients == ["li@example.org"]
    assert letter.message["Subject"] == "MingChat: your invitation"
    assert letter.message["Message-ID"] == f"<{invitation.id}@example.org>"
    assert letter.message.get_content_type() == "text/plain"
    assert letter.text.startswith("teacher invites you to MingChat.\n")
    assert f"Or open {SITE}/join and type this code:\n\n{one.made.token}\n" in letter.text
    assert "(days in all: 30)" in letter.text
    assert "Li Lei" not in letter.text, "what a list says is in no letter"
    assert link_in(letter) == f"{SITE}/join#{one.made.token}"
    assert (states(), forgotten()) == ([("sent", 1, None)], True)
    join(one.made.token, "Li Lei")


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("zh", "您的邀请", "有效期 7 天"),
        ("zh-Hant", "您的邀請", "有效期限 7 天"),
        ("ja", "ご招待", "有効期間は 7 日"),
        ("en", "your invitation", "You are invited to"),
        ("tlh", "您的邀请", "邀请您加入"),
    ],
)
def test_it_is_in_the_language_that_it_was_asked_for_in(
    mail: MailServer, locale: str, subject: str, words: str
) -> None:
    (one,) = made(locale=locale)
    send_due()
    assert str(mail.last.message["Subject"]).endswith(subject)
    assert words in mail.last.text
    assert link_in(mail.last).endswith(one.made.token)


def test_who_has_no_address_gets_none_and_the_list_says_so(mail: MailServer) -> None:
    with_address, without = made("Li Lei,li@example.org\nHan Meimei\n")
    assert with_address.made.listed.letter is not None
    assert without.made.listed.letter is None
    send_due()
    assert len(mail.mails) == len(kept()) == 1
    sent, none = (listed(each.made.listed.invitation.id).letter for each in (with_address, without))
    assert (sent and sent.state, none) == ("sent", None)


def test_neither_the_code_nor_its_digest_is_in_the_row_of_a_letter(mail: MailServer) -> None:
    (one,) = made()
    (letter,) = kept()
    token = one.made.token
    assert letter.code is not None
    for form in (token, token.replace("-", ""), one.made.listed.invitation.digest):
        assert form.encode() not in letter.code
        assert form not in repr({name: getattr(letter, name) for name in ("email", "site_url", "invitation_id")})


def test_many_go_a_few_in_a_round_and_each_once(mail: MailServer) -> None:
    made(people(25))
    send_due()
    assert len(mail.mails) == invitation_letters.AT_ONCE < 25
    send_due()
    send_due()
    assert Counter(letter.recipients[0] for letter in mail.mails) == {f"p{n}@example.org": 1 for n in range(25)}
    assert forgotten()


def test_threads_that_send_at_once_send_each_once(mail: MailServer) -> None:
    made(people(12))
    assert at_once(4, lambda _: send_due()) == [None] * 4
    assert Counter(letter.recipients[0] for letter in mail.mails) == {f"p{n}@example.org": 1 for n in range(12)}
    assert {name for name, _, _ in states()} == {"sent"}


def sender(database_url: str, moment: float, mail: MailServer) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.support.letter_sender", database_url, str(moment), str(mail.port)]
    environment = {**os.environ, "ENCRYPTION_KEY": config.current().encryption_key}
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def test_two_processes_send_each_once(database_url: str, mail: MailServer) -> None:
    made(people(10))
    moment = time.time() + 3
    racers = [sender(database_url, moment, mail) for _ in range(2)]
    assert [racer.wait(300) for racer in racers] == [0, 0]
    assert Counter(letter.recipients[0] for letter in mail.mails) == {f"p{n}@example.org": 1 for n in range(10)}
    assert states() == [("sent", 1, None)] * 10


def test_one_that_is_killed_before_it_notes_a_letter_repeats_that_one_alone(
    database_url: str, mail: MailServer
) -> None:
    made(people(2))
    killed = sender(database_url, 0, mail)
    mail.on_taken = lambda: os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait(300) == -signal.SIGKILL
    mail.on_taken = None
    send_due()
    assert len(mail.mails) == 2, "the lease holds"
    are_due()
    send_due()
    assert [name for name, _, _ in states()] == ["sent", "sent"]
    ids = Counter(str(letter.message["Message-ID"]) for letter in mail.mails)
    assert sorted(ids.values()) == [1, 2], "it can be told for the same"


def test_pauses_grow_and_after_a_day_it_is_given_up(mail: MailServer) -> None:
    made()
    pauses = []
    for _ in range(3):
        mail.refusals = ["450 try later, li@example.org"]
        are_due()
        send_due()
        pauses.append((kept()[0].due_at - utc_now()).total_seconds())
    assert [round(pause / 60 - 0.2) for pause in pauses] == pytest.approx([1, 2, 4], rel=0.3)
    send_due()
    assert mail.mails == [], "not before its time"
    assert states() == [("waiting", 3, "mail_recipient_refused")]
    change(InvitationLetter, kept()[0].invitation_id, created_at=utc_now() - GIVE_UP - timedelta(seconds=1))
    mail.refusals = ["450 try later"]
    are_due()
    send_due()
    assert (states(), forgotten()) == ([("failed", 4, "mail_recipient_refused")], True)
    are_due()
    send_due()
    assert mail.mails == []


def test_one_that_was_refused_for_now_goes_later(mail: MailServer) -> None:
    made()
    mail.rejections = ["451 not now"]
    send_due()
    are_due()
    send_due()
    assert (states(), len(mail.mails)) == ([("sent", 2, None)], 1)


@pytest.mark.parametrize("refusal", ["550 nobody here", "450 greylisted"])
def test_who_is_refused_keeps_nobody_waiting(mail: MailServer, refusal: str) -> None:
    made(people(3))
    mail.refusals = [refusal]
    send_due()
    assert len(mail.mails) == 2
    end = "failed" if refusal.startswith("5") else "waiting"
    assert sorted(states()) == sorted([(end, 1, "mail_recipient_refused"), *[("sent", 1, None)] * 2])


def test_the_log_names_no_address(mail: MailServer, capsys: pytest.CaptureFixture[str]) -> None:
    made()
    mail.refusals = ["550 <li@example.org> is nobody here"]
    send_due()
    said = capsys.readouterr()
    assert "invitation_not_sent" in said.out + said.err
    assert "li@example.org" not in said.out + said.err


def test_where_the_server_itself_fails_the_rest_waits(mail: MailServer) -> None:
    made(people(3))
    use_mail(ports.free_port())
    send_due()
    assert sorted(states()) == [("waiting", 0, None)] * 2 + [("waiting", 1, "mail_unreachable")]
    use_mail(mail.port)
    are_due()
    send_due()
    assert len(mail.mails) == 3


def test_without_mail_or_an_address_of_its_own_nothing_is_made(mail: MailServer) -> None:
    with pytest.raises(Invalid, match="letters_without_address"):
        made(site_url=None)
    config.install(dataclasses.replace(config.current(), mail=None))
    with pytest.raises(Invalid, match="mail_not_set_up"):
        made()
    assert (count(), kept()) == (0, [])


@pytest.fixture
def few_a_day(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(invitation_letters, "MOST_A_DAY", 5)
    return 5


@pytest.mark.security("invitation-letters")
def test_so_many_go_in_a_day_and_what_is_more_makes_nothing(mail: MailServer, few_a_day: int) -> None:
    made(people(4))
    with pytest.raises(TooMany) as refused:
        made(people(2))
    assert refused.value.code == "too_many_letters"
    assert refused.value.params == {"limit": few_a_day, "left": 1, "count": 2}
    assert refused.value.retry_after == pytest.approx(24 * 3600, abs=60)
    change(InvitationLetter, kept()[0].invitation_id, created_at=utc_now() - timedelta(hours=23))
    with pytest.raises(TooMany) as refused:
        made(people(2))
    assert refused.value.retry_after == pytest.approx(3600, abs=60), "until enough are a day old"
    assert count() == 4
    made("Han Meimei\nLi Lei,li@example.org")
    made("Han Meimei")
    for letter in kept():
        change(InvitationLetter, letter.invitation_id, created_at=utc_now() - timedelta(days=1, seconds=1))
    made(people(5))


@pytest.mark.security("invitation-letters")
def test_lists_at_once_do_not_pass_the_limit_together(mail: MailServer, few_a_day: int) -> None:
    outcomes = at_once(4, lambda _: made(people(2)))
    assert sum(isinstance(each, TooMany) for each in outcomes) == 2, outcomes
    assert len(kept()) == 4


def test_a_thousand_a_day() -> None:
    assert invitation_letters.MOST_A_DAY == 1_000


def test_the_audit_log_says_how_many_and_no_address(mail: MailServer) -> None:
    made("Li Lei,li@example.org\nHan Meimei\n")
    entry = audited("invitation.make_many")
    assert json.loads(entry.details)["letters"] == 1
    assert "@" not in entry.details
