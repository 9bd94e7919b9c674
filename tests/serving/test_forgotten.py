"""Asking for a letter about a forgotten password, of the real server."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from flask_app.models import User
from tests.support import slow_disk
from tests.support.brokers import wait_until
from tests.support.forgotten import ASK
from tests.support.mail_server import MailServer
from tests.support.one_sided import asked_in_turn, assert_alike
from tests.support.served import Served, served

ADDRESSES, PAIRS = 4, 14  # one address asks thirty times an hour
COMMIT_SECONDS, LETTERS = 0.4, 6  # on a slow disk


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, mail: MailServer) -> Iterator[Served]:
    (tmp_path / "sitecustomize.py").write_text(slow_disk.taking(COMMIT_SECONDS))
    settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mail.port), "SMTP_SECURITY": "none"}
    with served(tmp_path, SMTP_FROM="chat@example.org", PYTHONPATH=str(tmp_path), **settings) as running:
        running.set_up()
        yield running


@pytest.mark.security("reset-letter-same")
def test_the_reply_takes_the_same_time_whoever_is_meant(server: Served, mail: MailServer, tmp_path: Path) -> None:
    """In pairs, each kind first in turn, by a connection that is open. Letters go when all have asked."""
    people(f"sqlite:///{tmp_path / 'mingchat.db'}")
    taken = []
    for address in range(ADDRESSES):
        whence = (f"127.0.0.{2 + address}", 0)
        with closing(urllib3.connection_from_url(server.base_url, timeout=60, source_address=whence)) as connection:
            seconds(connection, "warm")
            for number in range(address * PAIRS, (address + 1) * PAIRS):
                names = f"known {number}", f"nobody {number}"
                taken.append(asked_in_turn(partial(seconds, connection), *names, number))
        wait_until(partial(has_come, mail, (address + 1) * PAIRS))  # somebody was meant
    assert_alike(*map(list, zip(*taken, strict=True)))


@pytest.mark.parametrize("then", [None, signal.SIGINT])
def test_a_server_that_ends_while_letters_are_written_leaves_one_whole_file(
    server: Served, tmp_path: Path, then: int | None
) -> None:
    """Each is a COMMIT beside all requests, which gunicorn does not wait for, and the disk is slow."""
    people(f"sqlite:///{tmp_path / 'mingchat.db'}")
    (tmp_path / "slow").touch()
    with closing(urllib3.connection_from_url(server.base_url, timeout=60)) as connection:
        for number in range(LETTERS):
            seconds(connection, f"known {number}")
    (worker,), port = server.workers(), int(server.environ["PORT"])
    server.process.send_signal(signal.SIGTERM)
    if then:  # Ctrl+C while it ends
        wait_until(partial(is_refused, port))
        os.kill(worker, then)
    server.process.wait(60)
    assert not (tmp_path / "mingchat.db-wal").exists()


def is_refused(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def has_come(mail: MailServer, number: int) -> bool:
    return len(mail.mails) == number


def people(url: str) -> None:
    engine = create_engine(url)
    with Session(engine) as session, session.begin():
        for number in range(ADDRESSES * PAIRS):
            name, email = f"known {number}", f"known.{number}@example.org"
            given = {"email": email, "confirmed_email": email, "password_hash": "a hash"}
            session.add(User(username=name, username_key=name, role="member", **given))
    engine.dispose()


def seconds(connection: urllib3.HTTPConnectionPool, account: str) -> float:
    headers = {"Origin": f"http://{connection.host}:{connection.port}"}
    begun = time.monotonic()
    reply = connection.request("POST", ASK, json={"account": account}, headers=headers)
    taken = time.monotonic() - begun
    assert reply.status == 204, reply.data
    return taken
