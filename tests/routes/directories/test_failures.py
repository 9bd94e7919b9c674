"""A directory that is away, lies or cannot be trusted: who still comes in, what they are told, and how soon."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from flask_app.models import User
from flask_app.services.sign_in import directories, directory_sign_in
from flask_app.upstream import directory as transport
from tests.conftest import MakeUser
from tests.support import certificates, directory, identities
from tests.support.clients import PageClient, new_client
from tests.support.directory import ALICE_PASSWORD, READER, RealDirectory
from tests.support.entrance import STRONG, error_code, login


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Somebody who is no directory; gives its address. No TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    opened, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_answered, args=[answer, opened], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"ldap://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def _answered(answer: Callable[[socket.socket], None], opened: socket.socket) -> None:
    with opened:
        try:
            answer(opened)
        except OSError:
            return


def garbage(opened: socket.socket) -> None:
    opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n" * 9)


def endless(opened: socket.socket) -> None:
    """A message that says it is as long as a gigabyte, and more and more of it."""
    opened.sendall(b"\x30\x84\x40\x00\x00\x00")
    while True:
        opened.sendall(b"\x00" * 65536)


def hangs_up(opened: socket.socket) -> None:
    opened.recv(1)


@pytest.fixture
def campus(campus: RealDirectory) -> Iterator[RealDirectory]:
    yield campus
    directories.forget()


@pytest.mark.security("directory-away")
def test_who_has_a_password_here_comes_in_while_the_directory_is_away(
    client: PageClient, member: User, admin: User
) -> None:
    directory.unreachable()
    assert login(client).status_code == 200
    assert login(client, "admin").status_code == 200
    away = login(new_client(client.application), "alice", ALICE_PASSWORD)
    assert (away.status_code, error_code(away)) == (502, "directory_away")
    assert "Nowhere" in away.get_json()["error"]["message"]


@pytest.mark.security("guesses-limited")
def test_guesses_count_while_the_directory_is_away(client: PageClient, member: User) -> None:
    directory.unreachable()
    statuses = [login(client, password=STRONG, address=f"192.0.2.{number}").status_code for number in range(11)]
    assert statuses == [502] * 10 + [429]


@pytest.mark.security("guesses-limited")
def test_guesses_at_a_directorys_password_are_limited(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus)
    statuses = [login(client, "alice", STRONG, address=f"192.0.2.{number}").status_code for number in range(11)]
    assert statuses == [401] * 10 + [429]


def test_one_that_is_away_is_not_waited_for_in_a_row(client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mute one is given up in time, and whoever comes next is told at once."""
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        listed = directory.provide_at(f"ldap://127.0.0.1:{mute.getsockname()[1]}")
        began = time.monotonic()
        assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away"
        assert 0.9 < time.monotonic() - began < 8
        asked = callers(mute)
        assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away"
        assert (asked, callers(mute)) == (1, 0), "nobody asks it again"
    directory.change(listed)
    assert directories._resting == {}, "who has changed it need not wait"


def callers(mute: socket.socket) -> int:
    """How many have come to it since it was last asked."""
    mute.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            mute.accept()[0].close()
            count += 1
    return count


@pytest.mark.security("directory-hostile")
@pytest.mark.parametrize("answer", [garbage, endless, hangs_up], ids=["garbage", "endless", "hangs up"])
def test_what_is_no_directory_lets_nobody_in(client: PageClient, answer: Callable[[socket.socket], None]) -> None:
    with listening(answer) as address:
        directory.provide_at(address)
        assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away"


@pytest.mark.security("directory-tls")
def test_a_certificate_that_is_not_trusted_gets_no_password(client: PageClient, campus: RealDirectory) -> None:
    another = certificates.pems("localhost")[0].decode()
    for address in (campus.address, campus.plain_address):
        for terms in (
            {"certificates": another},
            {"certificates": ""},
            {"address": address.replace("localhost", "127.0.0.1")},
        ):
            listed = directory.provide(campus, **({"address": address} | terms))
            before = campus.binds()
            assert error_code(login(new_client(client.application), "alice", ALICE_PASSWORD)) == "directory_away"
            assert campus.binds() == before, "nobody's password went there"
            directories.delete(directory.HOUSE, listed.provider.id)


@pytest.mark.security("directory-tls")
def test_what_is_said_before_tls_begins_counts_no_more(client: PageClient, campus: RealDirectory) -> None:
    """Who is in between answers StartTLS and puts more behind it, to be taken for what was said within TLS."""
    said = bytes.fromhex("300c02010178070a010004000400") + bytes.fromhex("300c02010261070a010004000400")

    def answer(opened: socket.socket) -> None:
        opened.recv(1000)
        opened.sendall(said)
        opened.recv(1000)

    with listening(answer) as address:
        directory.provide_at(address)
        assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away"
    assert identities.linked() == []


def test_whom_it_is_asked_by_must_be_right(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus, secret="not the reader's word")
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away"


@pytest.mark.security("directory-empty-password")
def test_without_the_readers_password_it_is_not_asked_by_nobody(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus, secret=None, bind_dn=READER)
    assert error_code(login(client, "alice", ALICE_PASSWORD)) == "directory_away"


def test_of_several_the_next_is_asked(client: PageClient, campus: RealDirectory) -> None:
    directory.unreachable()
    directory.provide(campus)
    assert login(client, "alice", ALICE_PASSWORD).status_code == 200
    assert error_code(login(client, "alice", STRONG)) == "directory_away", "the other one may know"


@pytest.mark.security("directory-answers")
def test_the_unknown_and_the_wrong_take_the_same_time(
    client: PageClient, campus: RealDirectory, make_user: MakeUser
) -> None:
    directory.provide(campus)
    make_user("member")
    make_user("admin", "admin")
    times: dict[str, list[float]] = {name: [] for name in ("alice", "nobody", "member", "admin")}
    for number in range(5):
        for name, seen in times.items():
            began = time.monotonic()
            assert login(client, name, STRONG, address=f"192.0.2.{number}").status_code == 401
            seen.append(time.monotonic() - began)
    least = [min(seen) for seen in times.values()]  # a busy machine makes each longer, and none shorter
    assert min(least) >= directory_sign_in.REFUSED_AFTER
    assert max(least) - min(least) < 0.1
