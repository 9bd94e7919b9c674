"""Who has come in by a stolen password silences nothing: neither by a second browser nor by coming once more."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import delete, select

from flask_app.database import reading, transaction
from flask_app.models import KnownDevice, User
from flask_app.services.sign_in import known_devices, login_limits
from flask_app.services.warnings import warning_service
from tests.conftest import PASSWORD, MakeUser
from tests.support.clients import PageClient, new_client
from tests.support.devices import DEVICE, MARK, comes, entries, is_told, leaves, new_ids, tell
from tests.support.entrance import STRONG
from tests.support.mail_server import MailServer

QueryCount = Callable[[], AbstractContextManager[list[str]]]
FORMER = "__Host-mingchat-device"
PROOF = "/api/me/proof"
OWN_BUTTON = "data-own-device"


def confirms(browser: PageClient, device_id: str) -> int:
    return browser.post(f"/api/me/devices/{device_id}/confirm").status_code


def may_confirm(browser: PageClient) -> bool:
    told: bool = browser.get("/api/me/sessions").json["may_confirm"]  # type: ignore[index]
    return told


def devices() -> list[KnownDevice]:
    with reading() as session:
        return list(session.scalars(select(KnownDevice).order_by(KnownDevice.signed_in_at)))


def forgets_the_browser(browser: PageClient) -> None:
    browser.delete_cookie(DEVICE)


@pytest.mark.security("new-device-told")
def test_two_new_browsers_do_not_confirm_each_other(app: Flask, ada: User, mail: MailServer) -> None:
    home, one, two = comes(app), comes(app), comes(app)
    (of_two,) = new_ids(one)
    assert new_ids(two) == []
    assert OWN_BUTTON not in one.get("/").text
    assert OWN_BUTTON in home.get("/").text
    assert (may_confirm(one), may_confirm(home)) == (False, True)
    assert confirms(one, of_two) == 404
    for each in new_ids(home):
        assert confirms(two, each) == 404
    tell()
    assert len(new_ids(home)) == 2
    assert len(mail.mails) == 2


@pytest.mark.security("new-device-told")
def test_a_browser_that_was_confirmed_confirms_what_came_later(app: Flask, ada: User) -> None:
    home, phone = comes(app), comes(app)
    assert confirms(home, new_ids(home)[0]) == 204
    comes(app)
    assert may_confirm(phone)
    assert confirms(phone, new_ids(phone)[0]) == 204
    assert not is_told(home)


@pytest.mark.security("new-device-told")
def test_coming_once_more_without_the_cookie_of_the_browser_is_as_new(app: Flask, ada: User, mail: MailServer) -> None:
    home, thief = comes(app), comes(app)
    forgets_the_browser(thief)
    comes(app, client=thief)
    _, before, after = devices()
    assert (after.is_new, after.created_at, after.email) == (True, before.created_at, "ada@example.com")
    assert new_ids(thief) == []
    for each in new_ids(home):
        assert confirms(thief, each) == 404
    tell()
    assert is_told(home)
    assert {tuple(each.recipients) for each in mail.mails} == {("ada@example.com",)}
    assert len(entries()) == 1, "nobody else came"


@pytest.mark.security("new-device-told")
@pytest.mark.parametrize("path", [PROOF, "/api/me/password"])
def test_a_session_that_is_renewed_is_as_new(app: Flask, ada: User, path: str) -> None:
    home, thief = comes(app), comes(app)
    forgets_the_browser(thief)
    words = {"password": PASSWORD} if path == PROOF else {"current": PASSWORD, "new": STRONG}
    assert thief.post(path, json=words).status_code in {200, 204}
    assert [each.is_new for each in devices()] == [False, True, True]
    assert thief.get("/api/me/sessions").json["gone"] == []  # type: ignore[index]
    if path == PROOF:  # a new password ends the session at home
        assert is_told(home)


@pytest.mark.security("new-device-told")
def test_many_ways_of_coming_again_send_no_more_mails_than_a_day_has(app: Flask, ada: User, mail: MailServer) -> None:
    comes(app)
    thief = comes(app)
    for _ in range(known_devices.MOST_MAILS + 2):
        forgets_the_browser(thief)
        comes(app, client=thief)
    tell()
    assert len(mail.mails) == known_devices.MOST_MAILS


@pytest.mark.security("new-device-told")
def test_a_session_whose_browser_was_forgotten_is_told_of_nothing(app: Flask, ada: User) -> None:
    home, thief = comes(app), comes(app)
    third = comes(app)
    newest = max(devices(), key=lambda each: each.created_at)
    with transaction() as session:
        session.execute(delete(KnownDevice).where(KnownDevice.id == newest.id))
    (of_thief,) = new_ids(home)
    assert new_ids(third) == []
    assert confirms(third, of_thief) == 404
    assert third.delete("/api/me/sessions").status_code == 204
    assert is_told(comes(app, client=home)), f"{thief} is told of all the same"
    forgets_the_browser(third)
    comes(app, client=third)
    assert sum(each.is_new for each in devices()) == 2


@pytest.mark.security("new-device-told")
def test_one_of_two_sessions_signed_out_leaves_the_browser_told_of(app: Flask, ada: User) -> None:
    home, thief = comes(app), comes(app)
    twin = new_client(app)
    twin.set_cookie(DEVICE, thief.get_cookie(DEVICE).value, secure=True)  # type: ignore[union-attr]
    comes(app, client=twin)
    listed = home.get("/api/me/sessions").json["sessions"]  # type: ignore[index]
    one, other = (each["id"] for each in listed if each["new_device_id"])
    assert home.delete(f"/api/me/sessions/{one}").status_code == 204
    assert is_told(home)
    assert home.delete(f"/api/me/sessions/{other}").status_code == 204
    assert not is_told(home)


@pytest.mark.security("new-device-told")
def test_what_was_confirmed_before_the_mail_went_is_mailed_all_the_same(
    app: Flask, ada: User, mail: MailServer
) -> None:
    first = comes(app)
    comes(app)
    assert confirms(first, new_ids(first)[0]) == 204
    warning_service.look()
    tell()
    assert [each.recipients for each in mail.mails] == [["ada@example.com"]]


@pytest.mark.security("new-device-told")
def test_the_version_before_takes_nothing_from_a_browser_that_is_known(
    app: Flask, ada: User, make_user: MakeUser
) -> None:
    make_user("bob")
    home, shared = comes(app), comes(app)
    assert confirms(home, new_ids(home)[0]) == 204
    for name in ("bob", "ada"):
        leaves(shared)
        comes(app, name, shared)
    leaves(shared)
    # What it knows is a name and one signature: it writes them anew, under the name that it reads.
    shared.set_cookie(FORMER, login_limits.device_with("", ada.id), secure=True)
    comes(app, client=shared)
    assert not is_told(home)


def test_a_cookie_of_the_version_before_is_known_and_stays(app: Flask, ada: User) -> None:
    former = login_limits.device_with("", ada.id)
    first = comes(app)
    leaves(first)
    with transaction() as session:
        session.execute(delete(KnownDevice))
    first.delete_cookie(DEVICE)
    first.set_cookie(FORMER, former, secure=True)
    comes(app, client=first)
    assert entries() == []
    assert first.get_cookie(DEVICE).value == former  # type: ignore[union-attr]


def test_a_page_asks_one_question_more_however_many_are_new(app: Flask, ada: User, query_count: QueryCount) -> None:
    first = comes(app)
    with query_count() as none:
        assert MARK not in first.get("/account").text
    for _ in range(9):
        comes(app)
    with query_count() as many:
        assert MARK in first.get("/account").text
    assert len(many) == len(none)
    for asked, path in ((1, "/"), (2, "/account")):  # the account page lists them too
        with query_count() as questions:
            first.get(path)
        assert sum("FROM known_devices" in each for each in questions) == asked
