"""Signing in by a passkey: whose it is, where it is good, and what ends it."""

import json
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import AuditEntry, LoginSession, Passkey, User
from flask_app.services.sign_in import passkey_challenges
from flask_app.services.sign_in.passkey_ceremony import encoded
from tests.conftest import PASSWORD
from tests.support import authenticator, passkeys
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login, stored
from tests.support.passkeys import ENTRY, Device, add, ask, send, sign_in, spoilt

COOKIE, DEVICE = "__Host-mingchat-passkey", "__Host-mingchat-browser"
REFUSED = (401, "passkey_refused")


@pytest.fixture
def device(member_client: PageClient) -> Device:
    """The member's, with a passkey."""
    return add(member_client)[0]


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, "" if response.status_code == 200 else error_code(response)


def sessions() -> int:
    with reading() as session:
        return len(session.scalars(select(LoginSession)).all())


def only() -> Passkey:
    with reading() as session:
        return session.scalars(select(Passkey)).one()


def test_no_name_and_no_password_is_asked_for(client: PageClient, member: User, device: Device) -> None:
    asked = passkeys.options(client)
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert (asked["allowCredentials"], asked["timeout"]) == ([], 300_000)
    signed_in = send(client, device.sign(asked), timezone="Europe/Berlin")
    assert outcome(signed_in) == (200, "")
    assert signed_in.json["user"]["username"] == "member"
    assert client.get("/api/me").json == signed_in.json
    assert client.get_cookie(DEVICE) is not None
    assert client.get_cookie(COOKIE) is None
    person, passkey = stored(member), only()
    assert (person.timezone, person.last_sign_in_at is not None) == ("Europe/Berlin", True)
    assert (passkey.sign_count, passkey.last_used_at is not None) == (1, True)


def test_no_code_is_asked_for(client: PageClient, member: User, device: Device) -> None:
    """Who holds it was asked for a finger or a PIN: that is the second factor."""
    authenticator.turn_on(member)
    assert outcome(sign_in(client, device)) == (200, "")


def test_the_challenge_is_bound_to_the_browser(app: Flask, client: PageClient, device: Device) -> None:
    kept = client.post(f"{ENTRY}/options").headers["Set-Cookie"]
    for word in (COOKIE, "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=300", "Path=/"):
        assert word in kept
    signed = device.sign(passkeys.options(client))
    thief = new_client(app)
    assert outcome(send(thief, signed)) == (401, "sign_in_expired")
    passkeys.options(thief)
    assert outcome(send(thief, signed)) == (401, "sign_in_expired")
    assert outcome(send(client, signed)) == (200, "")


def test_two_tabs_of_one_browser_do_not_disturb_each_other(client: PageClient, device: Device) -> None:
    first, second = passkeys.options(client), passkeys.options(client)
    assert first["challenge"] != second["challenge"]
    assert outcome(send(client, device.sign(first))) == (200, "")


def test_what_was_sent_once_opens_nothing_again(app: Flask, client: PageClient, member_client: PageClient) -> None:
    device, _ = add(member_client, Device(counts=False, copied=True))
    signed = device.sign(passkeys.options(client))
    cookie = client.get_cookie(COOKIE)
    assert cookie
    assert outcome(send(client, signed)) == (200, "")
    thief = new_client(app)
    thief.set_cookie(COOKIE, cookie.value, secure=True)
    assert outcome(send(thief, signed)) == (401, "sign_in_expired")


def test_a_challenge_holds_five_minutes(client: PageClient, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = device.sign(passkeys.options(client))
    later = utc_now() + passkey_challenges.LIFETIME
    monkeypatch.setattr(passkey_challenges, "utc_now", lambda: later)
    assert outcome(send(client, signed)) == (401, "sign_in_expired")


def test_a_challenge_of_our_own_making_is_none(client: PageClient, device: Device) -> None:
    passkeys.options(client)
    for challenge in ("", "AAAA", encoded(bytes(64)), encoded(b"\xff" * 64)):
        assert outcome(send(client, device.sign({"challenge": challenge}))) == (401, "sign_in_expired")


@pytest.mark.parametrize("trait", [{"rp_id": "evil.invalid"}, {"origin": "https://evil.invalid"}, {"verifies": False}])
def test_what_was_signed_for_another_site_or_without_asking_is_refused(
    client: PageClient, device: Device, trait: dict[str, Any]
) -> None:
    for name, value in trait.items():
        setattr(device, name, value)
    assert outcome(sign_in(client, device)) == REFUSED
    assert client.session_token == ""


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "userHandle"])
def test_what_was_changed_on_the_way_is_refused(client: PageClient, device: Device, part: str) -> None:
    assert outcome(send(client, spoilt(device.sign(passkeys.options(client)), part))) == REFUSED


def test_an_unknown_passkey_looks_like_a_wrong_reply(client: PageClient, device: Device) -> None:
    unknown = sign_in(client, Device(user_id=device.user_id))
    wrong = send(client, spoilt(device.sign(passkeys.options(client)), "signature"))
    assert outcome(unknown) == outcome(wrong) == REFUSED
    told = [response.json["error"] | {"request_id": ""} for response in (unknown, wrong)]
    assert told[0] == told[1]


def test_nobody_comes_in_as_somebody_else(client: PageClient, device: Device, admin: User) -> None:
    device.user_id = encoded(admin.id.encode())
    assert outcome(sign_in(client, device)) == REFUSED
    device.user_id = ""
    assert outcome(sign_in(client, device)) == REFUSED


def test_a_passkey_is_good_at_the_address_it_was_made_at(
    app: Flask, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["localhost", "other.example"])
    other = new_client(app, "https://other.example")
    device.rp_id, device.origin = "other.example", "https://other.example"
    assert outcome(sign_in(other, device)) == REFUSED


def test_a_host_that_is_not_allowed_is_asked_for_nothing(app: Flask, device: Device) -> None:
    stranger = new_client(app, "https://evil.invalid")
    assert outcome(stranger.post(f"{ENTRY}/options")) == (400, "unknown_host")


def test_a_count_that_goes_back_is_refused_and_told(client: PageClient, member: User, device: Device) -> None:
    assert outcome(sign_in(client, device)) == (200, "")
    device.count = 0
    assert outcome(sign_in(client, device)) == (403, "passkey_copied")
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "passkey.copied")).one()
    assert (entry.actor_id, entry.target, entry.address) == (member.id, member.id, "192.0.2.1")
    details = json.loads(entry.details)
    assert (details["counted"], details["known"], details["username"]) == (1, 1, "member")
    assert only().sign_count == 1
    device.counts = False
    device.count = 0
    assert outcome(sign_in(client, device)) == (403, "passkey_copied"), "nor does it begin anew"
    device.count, device.counts = 7, True
    assert outcome(sign_in(client, device)) == (200, "")
    assert only().sign_count == 8


def test_a_passkey_that_never_counts_is_good_again_and_again(client: PageClient, member_client: PageClient) -> None:
    device, _ = add(member_client, Device(counts=False))
    assert [outcome(sign_in(client, device)) for _ in range(3)] == [(200, "")] * 3
    assert only().sign_count == 0


def test_one_that_is_copied_by_its_keeper_later_is_told_as_synced(client: PageClient, device: Device) -> None:
    with transaction() as session:  # eligible from the beginning, as all that are copied later are
        session.execute(update(Passkey).values(backed_up=False))
    device.copied = True
    assert outcome(sign_in(client, device)) == (200, "")
    assert only().backed_up is True


def test_a_disabled_person_stays_out(
    client: PageClient, member: User, device: Device, admin_client: PageClient
) -> None:
    signed = device.sign(passkeys.options(client))
    admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": True})
    assert outcome(send(client, signed)) == (403, "account_disabled")
    assert outcome(sign_in(client, device)) == (403, "account_disabled")
    assert sessions() == 1, "the administrator's"


def test_a_removed_passkey_opens_nothing(client: PageClient, member_client: PageClient) -> None:
    device, passkey = add(member_client)
    signed = device.sign(passkeys.options(client))
    ask(member_client, f"/{passkey['id']}/remove", password=PASSWORD)
    assert outcome(send(client, signed)) == REFUSED


def test_a_person_who_is_gone_takes_their_passkeys_along(client: PageClient, member: User, device: Device) -> None:
    with transaction() as session:
        session.execute(delete(User).where(User.id == member.id))
    with reading() as session:
        assert session.scalars(select(Passkey)).all() == []
    assert outcome(sign_in(client, device)) == REFUSED


def test_a_new_password_leaves_the_passkey(client: PageClient, member_client: PageClient, device: Device) -> None:
    assert member_client.post("/api/me/password", json={"current": PASSWORD, "new": STRONG}).status_code == 204
    assert outcome(sign_in(client, device)) == (200, "")


def test_the_session_that_the_browser_had_before_ends(app: Flask, admin_client: PageClient, device: Device) -> None:
    before = admin_client.session_token
    sign_in(admin_client, device)
    assert admin_client.get("/api/me").json["user"]["username"] == "member"  # type: ignore[index]
    left_over = new_client(app)
    left_over.set_cookie("__Host-mingchat", before, secure=True)
    assert left_over.get("/api/me").status_code == 401


def test_wrong_tries_count_against_the_address_and_lock_no_account(app: Flask, device: Device) -> None:
    stranger = new_client(app)
    wrong = [outcome(sign_in(stranger, Device(user_id=device.user_id)))[0] for _ in range(21)]
    assert wrong == [401] * 20 + [429]
    assert login(stranger).status_code == 200, "passwords have limits of their own"
    assert outcome(sign_in(new_client(app), device, "198.51.100.7")) == (200, "")


def test_a_foreign_page_asks_for_nothing(client: PageClient, device: Device) -> None:
    headers = {"Origin": "https://evil.invalid"}
    assert error_code(client.post(f"{ENTRY}/options", headers=headers)) == "foreign_origin"
    body = {"credential": device.sign(passkeys.options(client))}
    assert error_code(client.post(ENTRY, json=body, headers=headers)) == "foreign_origin"


PARTS = ("clientDataJSON", "authenticatorData", "signature", "userHandle")


@pytest.mark.parametrize("part", ["id", *PARTS])
@pytest.mark.parametrize("value", [None, 7, [], "x" * 100_000, "\u00e9", "=", "A"])
def test_a_part_of_any_kind_is_refused_and_no_fault_of_ours(
    client: PageClient, device: Device, part: str, value: Any
) -> None:
    signed = device.sign(passkeys.options(client))
    response = send(client, changed(signed, part, value))
    assert response.status_code in {400, 401, 413, 422}
    assert sessions() == 1, "the member's, who has added it"


def changed(credential: dict[str, Any], part: str, value: Any) -> dict[str, Any]:
    if part == "id":
        return credential | {"id": value}
    return credential | {"response": credential["response"] | {part: value}}


@given(part=st.sampled_from(PARTS), noise=st.binary(max_size=200), cut=st.integers(0, 150))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_is_refused(app: Flask, member_client: PageClient, part: str, noise: bytes, cut: int) -> None:
    client, device = new_client(app), Device(user_id=encoded(b"somebody"))
    with reading() as session:
        kept = session.scalar(select(Passkey.credential_id))
    device.credential_id = kept or add(member_client)[0].credential_id
    signed = device.sign(passkeys.options(client))
    whole = signed["response"][part]
    for value in (encoded(noise), whole[:cut], whole[:cut] + encoded(noise)):
        response = client.post(ENTRY, json={"credential": changed(signed, part, value)}, environ_overrides=somewhere())
        assert response.status_code in {401, 422}, response.get_data(as_text=True)


def somewhere(seen: list[int] = []) -> dict[str, str]:  # noqa: B006 - each try comes from an address of its own
    seen.append(0)
    return {"REMOTE_ADDR": f"10.{len(seen) >> 16 & 255}.{len(seen) >> 8 & 255}.{len(seen) & 255}"}
