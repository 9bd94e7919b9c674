"""Single-use links to choose a password."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import transaction, utc_now
from flask_app.models import PasswordLink, User
from flask_app.services.people import password_links
from flask_app.services.secrets.signing import digest
from tests.conftest import PASSWORD, MakeUser
from tests.support.clients import SESSION_COOKIE, PageClient, new_client
from tests.support.entrance import STRONG, error_code, stored


def link_for(user: User) -> str:
    with transaction() as session:
        return password_links.issue(session, user.id).token


def test_a_link_is_stored_as_a_digest_and_runs_out_in_a_day(client: PageClient, member: User) -> None:
    token = link_for(member)
    with transaction() as session:
        (link,) = session.scalars(select(PasswordLink))
        assert token not in link.id
        assert 86_300 < (link.expires_at - utc_now()).total_seconds() <= 86_400
        link.expires_at = utc_now()
    refused = client.post("/api/password-reset", json={"token": token, "password": STRONG})
    assert (refused.status_code, error_code(refused)) == (403, "reset_link_invalid")


def test_a_weak_password_leaves_the_link_open(client: PageClient, member: User) -> None:
    token = link_for(member)
    weak = client.post("/api/password-reset", json={"token": token, "password": "member member member"})
    assert weak.status_code == 422
    assert client.post("/api/password-reset", json={"token": token, "password": STRONG}).status_code == 200


def test_a_disabled_persons_link_opens_nothing(client: PageClient, make_user: MakeUser) -> None:
    token = link_for(make_user("gone", disabled=True))
    assert error_code(client.post("/api/password-reset", json={"token": token, "password": STRONG})) == (
        "reset_link_invalid"
    )


def test_guesses_at_links_are_limited(client: PageClient) -> None:
    statuses = [
        client.post("/api/password-reset", json={"token": f"guess {number}", "password": STRONG}).status_code
        for number in range(11)
    ]
    assert statuses == [403] * 10 + [429]


def test_of_two_who_use_one_link_at_once_one_succeeds(app: Flask, member: User) -> None:
    token = link_for(member)
    outcomes: list[int] = []

    def run(number: int) -> None:
        body = {"token": token, "password": f"{STRONG} {number}"}
        outcomes.append(new_client(app).post("/api/password-reset", json=body).status_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, 403]


def test_the_page_of_a_link_needs_no_sign_in(client: PageClient) -> None:
    assert client.get("/reset").status_code == 200


@pytest.mark.security("password-ends-sessions")
def test_a_changed_password_closes_the_open_link(client: PageClient, member: User, member_client: PageClient) -> None:
    token = link_for(member)
    change = {"current": PASSWORD, "new": STRONG}
    assert member_client.post("/api/me/password", json=change).status_code == 204
    late = client.post("/api/password-reset", json={"token": token, "password": PASSWORD + " again"})
    assert (late.status_code, error_code(late)) == (403, "reset_link_invalid")


def test_disabling_a_person_closes_their_link_for_good(
    client: PageClient, member: User, admin_client: PageClient
) -> None:
    token = link_for(member)
    for disabled in (True, False):
        admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": disabled})
    late = client.post("/api/password-reset", json={"token": token, "password": STRONG})
    assert (late.status_code, error_code(late)) == (403, "reset_link_invalid")


def test_whoever_uses_a_link_is_signed_in_and_nobody_else(
    client: PageClient, member: User, member_client: PageClient
) -> None:
    response = client.post(
        "/api/password-reset",
        json={"token": link_for(member), "password": STRONG, "timezone": "Europe/Berlin", "theme": "dark"},
    )
    assert response.json["user"]["username"] == "member"  # type: ignore[index]
    assert client.get("/api/me").json == response.json
    assert (stored(member).timezone, stored(member).theme) == ("Europe/Berlin", "dark")
    client.csrf_token = response.json["csrf_token"]  # type: ignore[index]
    assert client.patch("/api/me", json={"theme": "light"}).status_code == 200
    assert member_client.get("/api/me").status_code == 401


def test_the_session_that_the_browser_had_before_ends(member: User, admin_client: PageClient, app: Flask) -> None:
    before = admin_client.session_token
    used = admin_client.post("/api/password-reset", json={"token": link_for(member), "password": STRONG})
    assert used.json["user"]["username"] == "member"  # type: ignore[index]
    left_over = new_client(app)
    left_over.set_cookie(SESSION_COOKIE, before, secure=True)
    assert left_over.get("/api/me").status_code == 401


def check(client: PageClient, token: str) -> Any:
    return client.post("/api/password-reset/check", json={"token": token})


def test_a_link_says_whose_password_it_sets_and_stays_open(client: PageClient, member: User) -> None:
    token = link_for(member)
    for _ in range(12):
        assert check(client, token).json == {"username": "member"}
    assert client.post("/api/password-reset", json={"token": token, "password": STRONG}).status_code == 200


def test_every_bad_link_gets_the_same_answer(client: PageClient, member: User, make_user: MakeUser) -> None:
    used, expired, disabled = link_for(member), link_for(make_user("late")), link_for(make_user("gone", disabled=True))
    client.post("/api/password-reset", json={"token": used, "password": STRONG})
    with transaction() as session:
        session.get_one(PasswordLink, digest(expired)).expires_at = utc_now()
    answers = [check(client, token) for token in (used, expired, disabled, "never made", "", "é\x00")]
    assert {(answer.status_code, error_code(answer)) for answer in answers} == {(403, "reset_link_invalid")}
    assert len({answer.json["error"]["message"] for answer in answers}) == 1


def test_looking_at_links_counts_as_guessing(client: PageClient, member: User) -> None:
    assert [check(client, f"guess {number}").status_code for number in range(10)] == [403] * 10
    assert check(client, link_for(member)).status_code == 429
    late = client.post("/api/password-reset", json={"token": link_for(member), "password": STRONG})
    assert late.status_code == 429


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": "x" * 1001}, {"token": "x", "username": "member"}])
def test_a_look_that_is_not_as_expected_is_refused(client: PageClient, body: dict[str, Any]) -> None:
    assert client.post("/api/password-reset/check", json=body).status_code == 422
