"""Notices and several processes: each is sent once, and one that dies in between loses none."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from flask_app.database import utc_now
from flask_app.models import DEFAULT_GROUP_ID, Notice, User
from flask_app.services.warnings.delivery_service import deliver_due
from tests.conftest import MakeUser
from tests.support.mail_server import MailServer
from tests.support.storage import ROOT
from tests.support.warned import change, limit, notices, use, use_mail


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def ada(make_user: MakeUser, server: MailServer) -> User:
    use_mail(server.port)
    return make_user("ada", email="ada@example.com")


def state() -> list[tuple[str, int, str | None]]:
    return [(each.state, each.tries, each.error_code) for each in notices()]


def warner(database_url: str, moment: float, server: MailServer) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.support.warner", database_url, str(moment), str(server.port)]
    return subprocess.Popen(command, cwd=ROOT)


def test_two_processes_tell_everybody_once(
    database_url: str, ada: User, make_user: MakeUser, server: MailServer
) -> None:
    limit("member", DEFAULT_GROUP_ID)
    for number in range(10):
        use(make_user(f"person {number}", email=f"p{number}@example.com"), 9_000)
    moment = time.time() + 3
    racers = [warner(database_url, moment, server) for _ in range(2)]
    assert [racer.wait(300) for racer in racers] == [0, 0]
    assert Counter(mail.recipients[0] for mail in server.mails) == {f"p{number}@example.com": 1 for number in range(10)}
    assert state() == [("sent", 1, None)] * 10


def test_a_process_that_is_killed_between_sending_and_noting_it_repeats_it_once_and_loses_nothing(
    database_url: str, ada: User, server: MailServer
) -> None:
    limit("user", ada.id)
    use(ada, 9_000)
    sender = warner(database_url, 0, server)
    server.on_taken = lambda: os.kill(sender.pid, signal.SIGKILL)
    assert sender.wait(300) == -signal.SIGKILL
    server.on_taken = None
    assert (len(server.mails), state()) == (1, [("waiting", 1, None)])
    deliver_due()
    assert len(server.mails) == 1, "the lease holds"
    (notice,) = notices()
    change(Notice, notice.id, due_at=utc_now() - timedelta(minutes=1))
    deliver_due()
    deliver_due()
    assert state() == [("sent", 2, None)]
    assert len(server.mails) == 2
    assert len({str(mail.message["Message-ID"]) for mail in server.mails}) == 1, "it can be told for the same"
