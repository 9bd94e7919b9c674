"""Whoever signs in from a browser that is new to them is told, where they were signed in already."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import KnownDevice, Notice, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import known_devices, login_limits
from tests.conftest import PASSWORD, MakeUser
from tests.support.clients import PageClient, new_client
from tests.support.devices import DEVICE, MARK, comes, entries, is_told, leaves, new_ids, tell
from tests.support.entrance import STRONG, error_code
from tests.support.mail_server import MailServer


@pytest.mark.security("new-device-told")
def test_a_new_browser_is_told_of_in_the_others_and_not_in_itself(app: Flask, ada: User) -> None:
    first = comes(app)
    assert not is_told(first), "an account's first sign-in"
    second = comes(app)
    assert is_told(first)
    assert not is_told(second)
    page = first.get("/").text
    assert MARK in page
    assert "Edge · Windows" in page
    assert "203.0.113.9" in page
    assert "/account#sessions-title" in page
    assert len(new_ids(first)) == 1
    assert new_ids(second) == []
    (entry,) = entries()
    assert (entry.actor_name, entry.target, entry.address) == ("ada", ada.id, "203.0.113.9")


def test_a_browser_that_signs_in_again_is_no_new_one(app: Flask, ada: User) -> None:
    first, second = comes(app), comes(app)
    assert first.post(f"/api/me/devices/{new_ids(first)[0]}/confirm").status_code == 204
    leaves(second)
    comes(app, client=second)
    comes(app, client=second)
    assert not is_told(first)
    assert len(entries()) == 1


def test_a_browser_that_two_people_share_stays_known_to_both(app: Flask, ada: User, make_user: MakeUser) -> None:
    make_user("bob")
    shared = comes(app, "bob")
    leaves(shared)
    comes(app, "ada", shared)
    elsewhere = comes(app)
    leaves(shared)
    for name in ("bob", "ada", "bob", "ada"):
        comes(app, name, shared)
        leaves(shared)
    assert [entry.actor_name for entry in entries()] == ["ada"], "of the browser elsewhere alone"
    assert not is_told(elsewhere)


def test_more_people_than_a_browser_keeps_forget_the_first_and_the_cookie_stays_small(
    app: Flask, make_user: MakeUser
) -> None:
    people = [make_user(f"pupil {number}") for number in range(login_limits.MOST_OF_A_DEVICE + 1)]
    cookie = ""
    for person in people:
        cookie = login_limits.device_with(cookie, person.id)
    assert [login_limits.is_known_device(cookie, person.id) for person in people] == [False] + [True] * 8
    assert len(cookie) < 300


@pytest.mark.parametrize("forged", ["", ".", "x", "x.y", "a" * 16, "a" * 16 + "." + "z" * 32, "é.é", "." * 3000])
def test_a_forged_cookie_is_a_new_browser(app: Flask, ada: User, forged: str) -> None:
    first = comes(app)
    forger = new_client(app)
    forger.set_cookie(DEVICE, forged, secure=True)
    comes(app, client=forger)
    assert is_told(first)
    assert login_limits.is_known_device(forger.get_cookie(DEVICE).value, ada.id)  # type: ignore[union-attr]


@pytest.mark.security("new-device-told")
def test_who_is_new_waves_neither_itself_nor_earlier_ones_through(app: Flask, ada: User) -> None:
    first, thief = comes(app), comes(app)
    (of_thief,) = new_ids(first)
    second = comes(app)
    assert new_ids(second) == []
    for browser in (second, thief):
        refused = browser.post(f"/api/me/devices/{of_thief}/confirm")
        assert (refused.status_code, error_code(refused)) == (404, "not_found")
    second.delete("/api/me/sessions")
    leaves(second)
    again = comes(app, client=first)
    assert of_thief in new_ids(again), "signed out by itself, and told all the same"


def test_who_says_it_was_them_says_so_of_earlier_ones_too(app: Flask, ada: User) -> None:
    first = comes(app)
    for _ in range(3):
        leaves(comes(app))
    newest, *_ = new_ids(first)
    assert "And 2 more." in first.get("/account").text
    assert first.post(f"/api/me/devices/{newest}/confirm").status_code == 204
    assert not is_told(first)
    assert first.post(f"/api/me/devices/{newest}/confirm").status_code == 404


def test_what_is_signed_out_as_foreign_is_new_the_next_time(app: Flask, ada: User) -> None:
    first, other = comes(app), comes(app)
    (session,) = [each for each in first.get("/api/me/sessions").json["sessions"] if each["new_device_id"]]  # type: ignore[index]
    assert first.delete(f"/api/me/sessions/{session['id']}").status_code == 204
    assert not is_told(first)
    comes(app, client=other)
    assert is_told(first)


def test_a_new_password_ends_what_was_told(app: Flask, ada: User) -> None:
    first, _ = comes(app), comes(app)
    changed = first.post("/api/me/password", json={"current": PASSWORD, "new": STRONG})
    first.csrf_token = changed.headers["X-CSRF-Token"]
    assert not is_told(first)
    assert len(entries()) == 1


def test_a_session_that_is_renewed_is_no_new_browser_without_the_cookie_either(app: Flask, ada: User) -> None:
    first, other = comes(app), comes(app)
    first.post(f"/api/me/devices/{new_ids(first)[0]}/confirm")
    other.delete_cookie(DEVICE)
    proved = other.post("/api/me/proof", json={"password": PASSWORD})
    other.csrf_token = proved.headers["X-CSRF-Token"]
    other.delete_cookie(DEVICE)
    other.post("/api/me/password", json={"current": PASSWORD, "new": STRONG})
    assert len(entries()) == 1


def test_a_browser_from_before_there_were_rows_is_known_by_its_cookie(app: Flask, ada: User) -> None:
    first = comes(app)
    leaves(first)
    with transaction() as session:
        session.execute(KnownDevice.__table__.delete())  # type: ignore[attr-defined]
    comes(app, client=first)
    assert entries() == []
    comes(app)
    assert len(entries()) == 1


def test_a_stolen_digest_of_somebody_else_is_not_found(app: Flask, ada: User, make_user: MakeUser) -> None:
    make_user("bob")
    first, _, bob = comes(app), comes(app), comes(app, "bob")
    (of_ada,) = new_ids(first)
    for device_id in (of_ada, "x", "é", "%00", "a" * 2000):
        assert bob.post(f"/api/me/devices/{device_id}/confirm").status_code == 404
    assert is_told(first)


def test_signed_out_nothing_is_confirmed(client: PageClient) -> None:
    response = client.post("/api/me/devices/x/confirm")
    assert (response.status_code, error_code(response)) == (401, "sign_in_required")


@pytest.mark.security("new-device-told")
def test_one_mail_tells_of_a_new_browser_whatever_was_chosen_of_warnings(
    app: Flask, ada: User, mail: MailServer
) -> None:
    first = comes(app)
    first.patch("/api/me", json={"warn_by_email": False})
    comes(app)
    tell()
    tell()
    assert [each.recipients for each in mail.mails] == [["ada@example.com"]]
    text = mail.last.text
    assert "A new browser has signed in to your account ada" in mail.last.message["Subject"]
    assert "Edge · Windows" in text
    assert "203.0.113.9" in text
    assert "http" not in text, "a link could be one that the intruder's own Host made"


@pytest.mark.security("new-device-told")
def test_the_mail_goes_where_the_person_was_told_before_the_browser_came(
    app: Flask, ada: User, mail: MailServer
) -> None:
    comes(app)
    thief = comes(app)
    assert thief.patch("/api/me", json={"email": "thief@example.com"}).status_code == 200
    tell()
    assert [each.recipients for each in mail.mails] == [["ada@example.com"]]


@pytest.mark.security("new-device-told")
def test_a_flood_of_sign_ins_floods_no_mail_and_no_table(app: Flask, ada: User, mail: MailServer) -> None:
    first = comes(app)
    for _ in range(known_devices.MOST + 5):
        comes(app)
    tell()
    assert len(mail.mails) == known_devices.MOST_MAILS
    with reading() as session:
        assert len(session.scalars(select(KnownDevice)).all()) == known_devices.MOST
    assert is_told(comes(app, client=first)), "the person's own browser is no new one for that"
    with transaction() as session:
        session.execute(update(KnownDevice).values(created_at=utc_now() - known_devices.WITHIN - timedelta(seconds=1)))
    comes(app)
    tell()
    assert len(mail.mails) == known_devices.MOST_MAILS + 1


def test_without_a_mail_server_or_an_address_the_pages_tell(app: Flask, ada: User, make_user: MakeUser) -> None:
    make_user("bob")
    for name in ("ada", "bob"):
        first, _ = comes(app, name), comes(app, name)
        assert is_told(first)
    tell()
    with reading() as session:
        assert session.scalars(select(Notice)).all() == []


def test_what_was_not_used_for_as_long_as_a_cookie_lives_is_forgotten(app: Flask, ada: User) -> None:
    first, _ = comes(app), comes(app)
    long_ago = utc_now() - known_devices.FORGOTTEN_AFTER - timedelta(days=1)
    with transaction() as session:
        session.execute(update(KnownDevice).where(KnownDevice.is_new).values(signed_in_at=long_ago, is_new=False))
    comes(app, client=first)
    with reading() as session:
        assert len(session.scalars(select(KnownDevice)).all()) == 1


def test_the_table_keeps_no_cookie(app: Flask, ada: User) -> None:
    first = comes(app)
    cookie = first.get_cookie(DEVICE).value  # type: ignore[union-attr]
    nonce = cookie.split(".")[0]
    with reading() as session:
        (row,) = session.execute(select(KnownDevice.__table__)).mappings().all()
    assert nonce not in str(dict(row))
    assert row["id"] == digest(f"device:{ada.id}:{nonce}")
