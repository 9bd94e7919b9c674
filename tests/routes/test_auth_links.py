"""Single-use links to choose a password."""

import threading

from flask import Flask
from sqlalchemy import select

from flask_app.database import transaction, utc_now
from flask_app.models import PasswordLink, User
from flask_app.services import password_links
from tests.conftest import PASSWORD, MakeUser
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code


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
    assert client.post("/api/password-reset", json={"token": token, "password": STRONG}).status_code == 204


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
    assert sorted(outcomes) == [204, 403]


def test_the_page_of_a_link_needs_no_sign_in(client: PageClient) -> None:
    assert client.get("/reset").status_code == 200


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
