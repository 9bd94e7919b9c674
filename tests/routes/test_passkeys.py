"""One's own passkeys: added with the password, listed, named, removed."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Passkey, UsedChallenge, User
from flask_app.services.people import setup_service
from flask_app.services.sign_in import passkey_challenges, passkey_service
from flask_app.services.sign_in.passkey_ceremony import decoded, encoded
from tests.conftest import PASSWORD, SignIn
from tests.support import authenticator, passkeys
from tests.support.clients import SESSION_COOKIE, PageClient, new_client
from tests.support.entrance import STRONG, error_code
from tests.support.passkeys import OWN, Device, add, ask, begin, entries, refusal

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0"
ICLOUD = bytes.fromhex("fbfc3007154e4ecc8c0b6e020557d7bd")


def count() -> int:
    with reading() as session:
        return len(session.scalars(select(Passkey)).all())


def test_a_passkey_is_added_and_listed(member_client: PageClient, member: User) -> None:
    assert member_client.get(OWN).json == {"passkeys": [], "refusal": None}
    device, passkey = add(member_client)
    assert member_client.get(OWN).json == {"passkeys": [passkey], "refusal": None}
    assert passkey["last_used_at"] is None
    assert (passkey["synced"], passkey["address"], passkey["here"]) == (False, "localhost", True)
    row = passkeys.kept(passkey["id"])
    assert (row.user_id, row.credential_id, row.public_key) == (member.id, device.credential_id, device.public_key())
    assert (row.rp_id, row.sign_count, row.transports) == ("localhost", 0, "internal hybrid")
    (entry,) = entries()
    assert (entry.action, entry.actor_id, entry.target) == ("passkey.add", member.id, member.id)
    assert json.loads(entry.details) == {"username": "member", "passkey": passkey["name"]}


def test_what_a_browser_is_asked_to_make(member_client: PageClient, member: User) -> None:
    asked = begin(member_client)
    assert asked["rp"] == {"id": "localhost", "name": "明聊"}
    assert asked["user"] == {"id": encoded(member.id.encode()), "name": "member", "displayName": "member"}
    assert [each["alg"] for each in asked["pubKeyCredParams"]] == [-7, -8, -257]
    assert asked["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert (asked["attestation"], asked["timeout"], asked["excludeCredentials"]) == ("none", 300_000, [])
    assert len(decoded(asked["challenge"])) == 64


def test_a_device_is_told_what_it_has_already(member_client: PageClient) -> None:
    device, _ = add(member_client)
    held = begin(member_client)["excludeCredentials"]
    transports = ["internal", "hybrid"]
    assert held == [{"id": encoded(device.credential_id), "transports": transports, "type": "public-key"}]


def test_it_is_called_by_its_keeper_or_else_by_the_browser(member_client: PageClient) -> None:
    member_client.environ_base["HTTP_USER_AGENT"] = EDGE
    keepers = [Device(aaguid=ICLOUD, copied=True), Device(), Device(aaguid=ICLOUD)]
    made = [add(member_client, device)[1] for device in keepers]
    assert [each["name"] for each in made] == ["iCloud Keychain", "Edge · Windows", "iCloud Keychain 2"]
    assert [each["synced"] for each in made] == [True, False, False]
    member_client.environ_base["HTTP_USER_AGENT"] = "?"
    assert add(member_client)[1]["name"] == "通行密钥"


def test_adding_gives_this_browser_a_new_session_twice_and_leaves_the_others(
    app: Flask, member: User, member_client: PageClient, sign_in: SignIn
) -> None:
    other, before = sign_in(member), member_client.session_token
    options = begin(member_client)
    between = member_client.session_token
    ask(member_client, "", credential=Device().make(options))
    assert len({before, between, member_client.session_token}) == 3
    assert other.get("/api/me").status_code == 200
    assert member_client.patch("/api/me", json={"theme": "dark"}).status_code == 200
    for ended in (before, between):
        thief = new_client(app)
        thief.set_cookie(SESSION_COOKIE, ended, secure=True)
        assert thief.get("/api/me").status_code == 401


def test_the_password_is_asked_for_first(member_client: PageClient) -> None:
    refused = [ask(member_client, "/options", password=STRONG) for _ in range(11)]
    assert [response.status_code for response in refused] == [403] * 10 + [429]
    assert error_code(refused[0]) == "wrong_password"


def test_a_code_is_asked_for_where_there_is_a_second_step(member_client: PageClient, member: User) -> None:
    secret, _ = authenticator.turn_on(member)
    assert refusal(ask(member_client, "/options", password=PASSWORD)) == (401, "second_step_needed")
    wrong = ask(member_client, "/options", password=PASSWORD, code=authenticator.wrong(secret))
    assert refusal(wrong) == (403, "wrong_second_step_code")
    code = authenticator.code(secret)
    add(member_client, code=code)
    again = ask(member_client, "/options", password=PASSWORD, code=code)
    assert refusal(again) == (403, "wrong_second_step_code"), "each code holds once"
    assert count() == 1


def test_a_challenge_holds_once(member_client: PageClient) -> None:
    made = Device().make(begin(member_client))
    held = member_client.get_cookie(SESSION_COOKIE)
    assert held
    assert ask(member_client, "", credential=made).status_code == 201
    assert refusal(ask(member_client, "", credential=made)) == (409, "passkey_not_begun")
    assert count() == 1


def test_a_challenge_holds_five_minutes(member_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Device().make(begin(member_client))
    later = utc_now() + passkey_challenges.LIFETIME
    monkeypatch.setattr(passkey_challenges, "utc_now", lambda: later)
    assert refusal(ask(member_client, "", credential=made)) == (409, "passkey_not_begun")


def test_a_challenge_is_of_one_session_of_one_person(
    member_client: PageClient, admin_client: PageClient, member: User, sign_in: SignIn
) -> None:
    options = begin(member_client)
    for other in (admin_client, sign_in(member)):
        assert refusal(ask(other, "", credential=Device().make(options))) == (409, "passkey_not_begun")
    assert count() == 0


def test_a_challenge_of_the_sign_in_adds_nothing(member_client: PageClient) -> None:
    user = {"id": begin(member_client)["user"]["id"]}
    made = Device().make(passkeys.options(member_client) | {"user": user})
    assert refusal(ask(member_client, "", credential=made)) == (409, "passkey_not_begun")


@pytest.mark.parametrize(
    "device",
    [Device(rp_id="evil.invalid"), Device(origin="https://evil.invalid"), Device(origin="http://localhost")],
    ids=["another name", "another origin", "another scheme"],
)
def test_what_was_made_elsewhere_is_refused(member_client: PageClient, device: Device) -> None:
    refused = ask(member_client, "", credential=device.make(begin(member_client)))
    assert refusal(refused) == (422, "passkey_not_made")
    assert count() == 0


def test_what_asked_for_no_finger_and_no_pin_is_refused(member_client: PageClient) -> None:
    refused = ask(member_client, "", credential=Device(verifies=False).make(begin(member_client)))
    assert refusal(refused) == (422, "passkey_not_made")


def test_a_passkey_is_one_persons(member_client: PageClient, admin_client: PageClient) -> None:
    device, _ = add(member_client)
    for client in (admin_client, member_client):
        again = ask(client, "", credential=device.make(begin(client)))
        assert refusal(again) == (409, "passkey_known")
    assert count() == 1


def test_there_are_at_most_twenty(member_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert passkey_service.MOST == 20
    monkeypatch.setattr(passkey_service, "MOST", 2)
    add(member_client)
    options = begin(member_client)
    last = Device().make(options)
    with transaction() as session:  # meanwhile another one, in another browser
        only = session.scalars(select(Passkey)).one()
        values = {column.key: getattr(only, column.key) for column in Passkey.__table__.columns}
        session.add(Passkey(**values | {"id": new_id(), "digest": "another"}))
    assert refusal(ask(member_client, "", credential=last)) == (409, "too_many_passkeys")
    refused = ask(member_client, "/options", password=PASSWORD)
    assert refusal(refused) == (409, "too_many_passkeys")
    assert refused.json["error"]["params"] == {"limit": 2}


def test_signed_out_there_is_nothing(client: PageClient) -> None:
    assert client.get(OWN).status_code == 401
    assert client.patch(f"{OWN}/x", json={"name": "x"}).status_code == 401
    for path, body in (("/options", {"password": "x"}), ("", {}), ("/x/remove", {"password": "x"})):
        assert refusal(ask(client, path, **body)) == (401, "sign_in_required")


def test_without_the_csrf_token_nothing_changes(member_client: PageClient) -> None:
    _, passkey = add(member_client)
    member_client.csrf_token = ""
    for path in ("/options", f"/{passkey['id']}/remove"):
        assert error_code(ask(member_client, path, password=PASSWORD)) == "csrf_failed"
    assert error_code(member_client.patch(f"{OWN}/{passkey['id']}", json={"name": "x"})) == "csrf_failed"


@pytest.mark.parametrize(
    ("base_url", "code"),
    [
        ("http://chat.example", "passkeys_need_https"),
        ("http://127.0.0.1", "passkeys_need_name"),
        ("https://127.0.0.1", "passkeys_need_name"),
        ("http://localhost:5000", None),
        ("https://chat.example", None),
    ],
)
def test_where_browsers_make_none_the_page_says_why(
    app: Flask, admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, base_url: str, code: str | None
) -> None:
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["chat.example", "127.0.0.1", "localhost"])
    with transaction() as session:
        setup_service.close(session)
    client = new_client(app, base_url)
    token = sign_in(admin).session_token
    client.set_cookie(SESSION_COOKIE if base_url.startswith("https") else "mingchat", token, domain=domain(base_url))
    told = client.get(OWN)
    assert told.status_code == 200
    assert told.json["refusal"] == code  # type: ignore[index]
    page = client.get("/account").get_data(as_text=True)
    assert ("data-add-passkey" in page) == (code is None)
    entry = new_client(app, base_url)
    assert ("data-use-passkey" in entry.get("/login").get_data(as_text=True)) == (code is None)
    begun = entry.post("/api/login/passkey/options")
    assert begun.status_code == (409 if code else 200)
    assert not code or error_code(begun) == code


def domain(base_url: str) -> str:
    return base_url.split("//")[1].split(":", maxsplit=1)[0]


def test_the_page_takes_as_many_queries_for_many_as_for_one(
    member_client: PageClient, query_count: Callable[[], Any]
) -> None:
    add(member_client)
    member_client.get("/account")
    with query_count() as few:
        member_client.get("/account")
    for _ in range(3):
        add(member_client)
    with query_count() as many:
        assert member_client.get("/account").status_code == 200
    assert len(few) == len(many)


def test_no_reply_and_no_log_holds_a_key_or_a_challenge(
    member_client: PageClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    options = begin(member_client)
    device = Device()
    added = ask(member_client, "", credential=device.make(options))
    said = f"{added.get_data(as_text=True)}{member_client.get('/account').get_data(as_text=True)}"
    said += caplog.text + "".join(capfd.readouterr()) + "".join(entry.details for entry in entries())
    for secret in (options["challenge"], encoded(device.credential_id), encoded(device.public_key())):
        assert secret not in said


def test_what_was_used_is_forgotten_once_its_time_is_over(member_client: PageClient) -> None:
    add(member_client)
    with transaction() as session:
        session.execute(update(UsedChallenge).values(expires_at=utc_now()))
    add(member_client)
    with reading() as session:
        assert len(session.scalars(select(UsedChallenge)).all()) == 1
