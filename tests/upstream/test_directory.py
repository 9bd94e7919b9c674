"""Conversations with a directory: where they may lead, how long they last, and what is made of what is said."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from ipaddress import ip_address

import pytest

from flask_app import config
from flask_app.config import Config
from flask_app.errors import Invalid, UpstreamError
from flask_app.upstream import addresses, directory, directory_filters
from flask_app.upstream.directory import Entry
from tests.support import directory as real
from tests.support.directory import ALICE_PASSWORD, PEOPLE, READER, READER_PASSWORD, SUFFIX, RealDirectory


@pytest.fixture(scope="module")
def campus() -> Iterator[RealDirectory]:
    with real.running() as known:
        yield known


@pytest.fixture(autouse=True)
def settings(base_config: Config) -> None:
    config.install(dataclasses.replace(base_config))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ldaps://DC.School.example:636/", "ldaps://dc.school.example"),
        (" ldap://dc:389", "ldap://dc"),
        ("ldaps://10.0.0.5:6360", "ldaps://10.0.0.5:6360"),
        ("ldaps://[fd00::5]", "ldaps://[fd00::5]"),
    ],
)
def test_an_address_is_stored_in_one_way_and_may_be_private(typed: str, stored: str) -> None:
    assert directory.normalise(typed, plain=False) == stored
    assert directory.normalise(stored, plain=False) == stored


@pytest.mark.parametrize(
    "typed", ["", "dc.school.example", "http://dc", "ldaps://", "ldaps://a b", "ldaps://dc?x", "ldapi://x"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="address_not_ldap"):
        directory.normalise(typed, plain=False)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        *(("127.0.0.1", True), ("10.1.2.3", True), ("192.168.0.1", True), ("::1", True), ("fd00::1", True)),
        *(("8.8.8.8", True), ("169.254.169.254", False), ("fe80::1", False), ("0.0.0.0", False), ("::", False)),
        *(("224.0.0.1", False), ("ff02::1", False), ("::ffff:169.254.169.254", False)),
    ],
)
def test_a_directory_is_a_host_that_somebody_has_set_up(address: str, allowed: bool) -> None:
    assert addresses.is_one_host(ip_address(address)) is allowed


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [
        *(("", True), ("(uid=*)", True), ("(&(objectClass=person)(!(employeeType=guest)))", True)),
        *(("uid=*", False), ("(uid=*", False), ("(uid=a)(uid=b)", False), ("(" * 60, False), ("()", False)),
    ],
)
def test_a_filter_is_known_by_its_form(typed: str, is_one: bool) -> None:
    assert directory_filters.is_filter(typed) is is_one


def test_what_an_entry_says_is_read_as_what_it_is() -> None:
    entry = Entry(
        "cn=x",
        {
            "objectguid": [b"\x00\xff"],
            "entryuuid": [b"AB-1"],
            "mail": [b" a@b.example ", b"c@d"],
            "jpegphoto": [b"\xff"],
        },
    )
    assert (entry.identifier("objectGUID"), entry.identifier("entryUUID")) == ("objectGUID:00ff", "entryUUID:ab-1")
    assert (entry.text("mail"), entry.texts("Mail")) == ("a@b.example", ["a@b.example", "c@d"])
    assert (entry.text("jpegPhoto"), entry.text("sn")) == ("", "")
    assert (entry.identifier("mail"), entry.identifier("nsUniqueId")) == (None, None), "two are none"


@pytest.mark.security("directory-hostile")
def test_a_referral_leads_nowhere(campus: RealDirectory) -> None:
    """A directory may send its askers anywhere, and they would bring their password."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        elsewhere = f"ou=far,{SUFFIX}"
        target = f"ldap://127.0.0.1:{canary.getsockname()[1]}/{elsewhere}"
        kind = "objectClass: referral\nobjectClass: extensibleObject"
        campus.change(f"dn: {elsewhere}\nchangetype: add\n{kind}\nref: {target}\n")
        with closing(directory.converse(campus.address, plain=False, certificates=campus.certificate)) as talk:
            assert talk.takes(READER, READER_PASSWORD)
            people = directory_filters.any_of([("uid", "alice")], "")
            assert [each.dn for each in talk.search(SUFFIX, people, ("uid",), most=2)] == [f"uid=alice,{PEOPLE}"]
            with pytest.raises(UpstreamError, match="directory_refused"):
                talk.search(elsewhere, people, ("uid",), most=2)
            assert not talk.takes(f"uid=alice,{elsewhere}", ALICE_PASSWORD)
        with pytest.raises(TimeoutError):
            canary.accept()


@pytest.mark.security("directory-hostile")
@pytest.mark.parametrize("drips", [False, True], ids=["mute", "drips"])
def test_a_conversation_ends_in_time(monkeypatch: pytest.MonkeyPatch, drips: bool) -> None:
    monkeypatch.setattr(directory, "WHOLE_SECONDS", 1)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            opened, _ = server.accept()
            with opened, suppress(OSError):
                opened.sendall(b"\x30\x84\x00\x01\x00\x00")
                while not stop.wait(0.1):
                    opened.sendall(b"\x00" if drips else b"")

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        address = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        talk = directory.converse(address, plain=True, certificates=None)
        with closing(talk), pytest.raises(UpstreamError, match="upstream_timeout"):
            talk.takes(READER, READER_PASSWORD)
        stop.set()
        thread.join()
    assert time.monotonic() - began < 5


@pytest.mark.security("directory-empty-password")
def test_an_empty_password_is_not_even_sent(campus: RealDirectory) -> None:
    with closing(directory.converse(campus.address, plain=False, certificates=campus.certificate)) as talk:
        assert talk.takes(f"uid=alice,{PEOPLE}", ALICE_PASSWORD)
        before = campus.binds()
        assert not talk.takes(f"uid=alice,{PEOPLE}", "")
        assert not talk.takes("", ALICE_PASSWORD)
        assert campus.binds() == before
