"""The account page and the browsers one is signed in with."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from flask_app.database import transaction, utc_now
from flask_app.models import LoginSession, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in.auth_service import MOST_SESSIONS
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code, login, stored

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1"


def sessions(client: PageClient) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get("/api/me/sessions").json["sessions"]  # type: ignore[index]
    return listed


def signed_in_with(app: Flask, user_agent: str, address: str) -> PageClient:
    client = new_client(app)
    client.environ_base["HTTP_USER_AGENT"] = user_agent
    client.csrf_token = login(client, address=address).json["csrf_token"]
    return client


def test_each_browser_is_listed_with_what_it_is_and_where(app: Flask, member: User, make_user: MakeUser) -> None:
    make_user("stranger")
    login(new_client(app), "stranger")
    first = signed_in_with(app, IPHONE, "2001:db8::1")
    here = signed_in_with(app, EDGE, "192.0.2.7")
    listed = sessions(here)
    assert [(one["browser"], one["system"], one["address"], one["current"]) for one in listed] == [
        ("Edge", "Windows", "192.0.2.7", True),
        ("Safari", "iPhone", "2001:db8::1", False),
    ]
    named = {"id", "browser", "system", "address", "created_at", "last_seen_at", "current", "new_device_id"}
    assert set(listed[0]) == named
    assert [one["browser"] for one in sessions(first)] == ["Safari", "Edge"], "the one that asks comes first"


def test_a_program_without_a_name_is_listed_too(app: Flask, member: User) -> None:
    (only,) = sessions(signed_in_with(app, "", "192.0.2.7"))
    assert (only["browser"], only["system"]) == (None, None)


def test_a_session_whose_time_is_over_is_not_listed(member: User, member_client: PageClient, sign_in: SignIn) -> None:
    over = sign_in(member)
    assert len(sessions(member_client)) == 2
    with transaction() as session:
        session.get_one(LoginSession, digest(over.session_token)).expires_at = utc_now() - timedelta(seconds=1)
    assert [one["current"] for one in sessions(member_client)] == [True]


def test_the_list_is_bounded_and_takes_one_query(
    member: User, member_client: PageClient, query_count: Any, sign_in: SignIn
) -> None:
    with query_count() as few:
        sessions(member_client)
    newest = [sign_in(member) for _ in range(MOST_SESSIONS + 3)][-1]
    with query_count() as many:
        assert len(sessions(newest)) == MOST_SESSIONS
    assert len(many) == len(few)


def test_one_browser_is_signed_out_and_the_others_stay(
    member: User, member_client: PageClient, sign_in: SignIn
) -> None:
    lost, kept = sign_in(member), sign_in(member)
    assert member_client.delete(f"/api/me/sessions/{digest(lost.session_token)}").status_code == 204
    assert [client.get("/api/me").status_code for client in (lost, kept, member_client)] == [401, 200, 200]
    again = member_client.delete(f"/api/me/sessions/{digest(lost.session_token)}")
    assert (again.status_code, error_code(again)) == (404, "not_found")


def test_all_others_are_signed_out_at_once_and_nobody_elses(
    member: User, member_client: PageClient, sign_in: SignIn, admin_client: PageClient
) -> None:
    others = [sign_in(member), sign_in(member)]
    assert member_client.delete("/api/me/sessions").status_code == 204
    assert [client.get("/api/me").status_code for client in others] == [401, 401]
    assert member_client.get("/api/me").status_code == 200
    assert admin_client.get("/api/me").status_code == 200


@pytest.mark.parametrize("session_id", ["x", "é", "%00", "a" * 2000, "%27%20OR%201=1"])
def test_an_odd_session_is_not_found(member_client: PageClient, session_id: str) -> None:
    assert member_client.delete(f"/api/me/sessions/{session_id}").status_code == 404
    assert len(sessions(member_client)) == 1


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("DELETE", "/x")])
def test_signed_out_there_are_no_sessions(client: PageClient, method: str, path: str) -> None:
    response = client.open(f"/api/me/sessions{path}", method=method)
    assert (response.status_code, error_code(response)) == (401, "sign_in_required")


def test_the_page_offers_the_zones_and_keeps_an_older_name(app: Flask, make_user: MakeUser, sign_in: SignIn) -> None:
    page = sign_in(make_user("ada", timezone="Asia/Calcutta")).get("/account").text
    assert "<option selected>Asia/Calcutta</option>" in page
    assert "<option>Asia/Shanghai</option>" in page
    assert "<option selected>Asia/Shanghai</option>" in sign_in(make_user("bob")).get("/account").text
    assert new_client(app).get("/account").location == "/login?next=/account"


def test_language_and_theme_hold_on_a_second_device_before_and_after_sign_out(
    app: Flask, make_user: MakeUser, admin: User
) -> None:
    make_user("ada", locale="en", theme="dark")
    device = new_client(app)
    accepts = {"Accept-Language": "zh-CN"}
    assert 'lang="zh-CN"' in device.get("/login", headers=accepts).text
    reply = login(device, "ada")
    device.csrf_token = reply.json["csrf_token"]
    signed_in = device.get("/", headers=accepts).text
    device.post("/logout")
    for page in (signed_in, device.get("/login", headers=accepts).text):
        assert '<html lang="en"' in page
        assert 'data-theme="dark"' in page


def test_a_choice_that_was_never_made_leaves_the_browsers_language(app: Flask, member: User) -> None:
    device = new_client(app)
    device.set_cookie("lang", "en", domain="localhost", secure=False)
    assert login(device, "member", PASSWORD).status_code == 200
    assert '<html lang="en"' in device.get("/").text


def test_what_was_chosen_before_the_first_sign_in_is_kept_on_every_device(
    app: Flask, make_user: MakeUser, admin: User
) -> None:
    make_user("ada")
    reply = login(new_client(app), "ada", theme="dark", locale="en")
    assert (reply.json["user"]["theme"], reply.json["user"]["locale"]) == ("dark", "en")
    device = new_client(app)
    assert login(device, "ada", theme="light", locale="zh").json["user"]["theme"] == "dark"
    page = device.get("/", headers={"Accept-Language": "zh-CN"}).text
    assert '<html lang="en"' in page
    assert 'data-theme="dark"' in page


def test_a_theme_that_somebody_chose_is_not_changed_by_the_next_visitors(app: Flask, make_user: MakeUser) -> None:
    ada = make_user("ada")
    device = new_client(app)
    device.csrf_token = login(device, "ada").json["csrf_token"]
    assert device.patch("/api/me", json={"theme": "system"}).json["user"]["theme"] == "system"  # type: ignore[index]
    login(new_client(app), "ada", theme="dark")
    assert stored(ada).theme == "system"


def test_another_persons_cookies_are_nobodys_choice(app: Flask, make_user: MakeUser) -> None:
    make_user("ada", theme="dark", locale="en")
    bob = make_user("bob")
    shared = new_client(app)
    shared.csrf_token = login(shared, "ada").json["csrf_token"]
    shared.post("/logout")
    assert login(shared, "bob").json["user"]["theme"] == "system"
    assert 'data-theme="system"' in shared.get("/").text
    assert (stored(bob).theme, stored(bob).locale) == (None, None)


@pytest.mark.parametrize("odd", ["", "pink", "DARK", "x" * 1000])
def test_an_odd_choice_stops_nobody_from_signing_in(app: Flask, make_user: MakeUser, odd: str) -> None:
    ada = make_user("ada")
    assert login(new_client(app), "ada", theme=odd, locale=odd).status_code == 200
    assert (stored(ada).theme, stored(ada).locale) == (None, None)
