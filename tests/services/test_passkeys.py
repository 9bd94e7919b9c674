"""Passkeys beneath the routes: challenges, who comes second, and replies that make no sense."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import Invalid, SignInRequired
from flask_app.models import LoginSession, Passkey, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import (
    auth_service,
    authenticators,
    passkey_ceremony,
    passkey_challenges,
    passkey_service,
)
from flask_app.services.sign_in import passkey_sign_in as by_passkey
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.sign_in.passkey_ceremony import Assertion, Attestation, RelyingParty, decoded, encoded
from flask_app.services.sign_in.passkey_challenges import Spent
from tests.conftest import PASSWORD
from tests.support.clients import PageClient
from tests.support.passkeys import Device, add
from tests.support.together import at_once

HERE = Browser("192.0.2.1")
PARTY = RelyingParty("localhost", "https://localhost")
HOLDER = "something that only one browser has"


def attestation(device: Device, challenge: bytes, user: User) -> Attestation:
    made = device.make({"challenge": encoded(challenge), "user": {"id": encoded(user.id.encode())}})
    parts = made["response"]
    return Attestation(made["id"], parts["clientDataJSON"], parts["attestationObject"], ("internal",))


def assertion(device: Device, challenge: bytes) -> Assertion:
    signed = device.sign({"challenge": encoded(challenge)})
    parts = signed["response"]
    proof = (parts["clientDataJSON"], parts["authenticatorData"], parts["signature"], parts["userHandle"])
    return Assertion(signed["id"], *proof)


def test_a_challenge_is_good_for_its_purpose_and_holder_alone(member: User) -> None:
    value = passkey_challenges.new("add", HOLDER)
    assert passkey_challenges.check(value, "add", HOLDER).value == value
    for purpose, holder in (("sign in", HOLDER), ("add", "another"), ("add", "")):
        with pytest.raises(Spent):
            passkey_challenges.check(value, purpose, holder)  # type: ignore[arg-type]
    for changed in (b"", value[:-1], value + b"\0", bytes([value[0] ^ 1]) + value[1:], value[:31] + b"\0" + value[32:]):
        with pytest.raises(Spent):
            passkey_challenges.check(changed, "add", HOLDER)
    with pytest.raises(Spent):
        passkey_challenges.check(passkey_challenges.new("add", ""), "add", "")


def test_a_challenge_says_itself_until_when_it_is_good(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    value, now = passkey_challenges.new("add", HOLDER), utc_now()
    for seconds, good in ((298, True), (301, False)):
        monkeypatch.setattr(passkey_challenges, "utc_now", lambda at=now + timedelta(seconds=seconds): at)
        if good:
            passkey_challenges.check(value, "add", HOLDER)
        else:
            with pytest.raises(Spent):
                passkey_challenges.check(value, "add", HOLDER)


def test_of_many_who_send_one_reply_at_once_one_is_signed_in(member: User, member_client: PageClient) -> None:
    device, _ = add(member_client, Device(counts=False))
    reply = assertion(device, passkey_challenges.new("sign in", HOLDER))
    outcomes = at_once(5, lambda _: by_passkey.sign_in(reply, HOLDER, HERE, PARTY))
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"SignedIn": 1, "SignInExpired": 4}


def test_of_many_who_add_one_passkey_at_once_one_has_it(member: User) -> None:
    with transaction() as session:
        here = digest(auth_service.open_session(session, member, HERE).token)
    reply = attestation(Device(), passkey_challenges.new("add", here), member)
    outcomes = at_once(3, lambda _: passkey_service.add(member, here, reply, HERE, PARTY, usual_name="x"))
    named = Counter(type(outcome).__name__ for outcome in outcomes)
    assert named["Added"] == 1, "the others' session is over, or their challenge is"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Passkey)) == 1


ACTS: dict[str, Callable[[User, str, str], object]] = {
    "begin": lambda user, here, _: passkey_service.begin(user, here, PASSWORD, None, HERE, PARTY),
    "add": lambda user, here, _: passkey_service.add(
        user, here, attestation(Device(), passkey_challenges.new("add", here), user), HERE, PARTY, usual_name="x"
    ),
    "remove": lambda user, here, passkey: passkey_service.remove(user, here, passkey, PASSWORD, HERE),
}


@pytest.mark.parametrize("act", ACTS)
def test_who_was_signed_out_while_they_asked_gets_no_new_session(
    member: User, member_client: PageClient, act: str
) -> None:
    _, passkey = add(member_client)
    with transaction() as session:
        here = digest(auth_service.open_session(session, member, HERE).token)
    with transaction() as session:
        auth_service.end_sessions(session, member.id)
    with pytest.raises(SignInRequired):
        ACTS[act](member, here, passkey["id"])
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 0
        assert session.scalar(select(func.count()).select_from(Passkey)) == 1


def test_base64url_is_read_with_and_without_its_padding() -> None:
    for value in (b"", b"a", b"ab", b"abc", bytes(range(256))):
        assert decoded(encoded(value)) == value
    assert decoded("YQ==") == b"a"
    for text in ("Y", "a b", "YQ=Q", "é"):
        with pytest.raises(ValueError, match=r"base64url|ascii"):
            decoded(text)


@pytest.mark.parametrize(
    "told", [b"", b"{", b"[]", b"7", b"{}", b'{"challenge": 7}', b'{"challenge": "\xc3\xa9"}', b"\xff"]
)
def test_client_data_that_name_no_challenge_are_none(told: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        passkey_ceremony.challenge_in(encoded(told))


def test_a_key_that_no_authenticator_makes_is_refused(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    device, challenge = Device(), passkey_challenges.new("add", HOLDER)
    for key in (b"", b"\xa0", b"\x80", b"\xa1\x01\x02", b"\xf6", b"\xa3\x01\x02\x03\x26\x20\x01"):
        monkeypatch.setattr(device, "public_key", lambda key=key: key)
        with pytest.raises(Invalid, match="passkey_not_made"):
            passkey_ceremony.verified_attestation(attestation(device, challenge, member), challenge, PARTY)


def test_keepers_are_known_by_ids_as_they_tell_them() -> None:
    for aaguid, name in authenticators.NAMES.items():
        assert [len(part) for part in aaguid.split("-")] == [8, 4, 4, 4, 12]
        assert aaguid == aaguid.lower()
        assert len(name) <= passkey_service.MAX_NAME - len(" 20")
