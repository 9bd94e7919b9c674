"""The first administrator."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import AuditEntry, Setting, User
from flask_app.services.people import account_service, setup_service
from tests.conftest import MakeUser
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code


def set_up(client: PageClient, code: str | None = None, address: str = "192.0.2.1", **fields: str) -> Any:
    body = {"code": code or setup_service.code(), "username": "首位", "password": STRONG} | fields
    return client.post("/api/setup", json=body, environ_overrides={"REMOTE_ADDR": address})


def test_the_first_administrator_is_made_with_the_code_and_signed_in(client: PageClient) -> None:
    response = set_up(client)
    assert response.status_code == 201
    assert response.json["user"]["role"] == "admin"
    assert response.json["user"]["owner"] is True
    assert client.get("/api/me").json["user"]["username"] == "首位"  # type: ignore[index]
    with reading() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["setup.finish"]
        assert session.get(Setting, "setup") is not None


def test_what_was_chosen_before_set_up_is_kept(client: PageClient) -> None:
    user = set_up(client, theme="dark", locale="en", timezone="Europe/Berlin").json["user"]
    assert (user["theme"], user["locale"], user["timezone"]) == ("dark", "en", "Europe/Berlin")


def test_the_code_may_be_typed_carelessly(client: PageClient) -> None:
    typed = setup_service.code().lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert set_up(client, typed).status_code == 201


@pytest.mark.security("set-up-once")
def test_set_up_happens_once(client: PageClient) -> None:
    assert set_up(client).status_code == 201
    client.csrf_token = ""
    again = set_up(client, username="second")
    assert (again.status_code, error_code(again)) == (409, "setup_done")
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_a_name_that_the_command_line_gave_is_taken_and_set_up_stays_open(
    client: PageClient, make_user: MakeUser
) -> None:
    make_user("Ming")
    taken = set_up(client, username="ming")
    assert (taken.status_code, error_code(taken)) == (409, "username_taken")
    assert not setup_service.is_done()
    assert set_up(client, username="another").status_code == 201


@pytest.mark.security("set-up-once")
def test_of_many_set_ups_at_once_one_succeeds(app: Flask) -> None:
    outcomes: list[int] = []
    start = threading.Barrier(5)

    def run(number: int) -> None:
        client = new_client(app)
        start.wait()
        outcomes.append(set_up(client, username=f"first {number}").status_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize("code", ["", "x", "0000-0000-0000-0000", "é" * 16])
def test_a_wrong_code_makes_nobody(client: PageClient, code: str) -> None:
    refused = set_up(client, code or " ")
    assert (refused.status_code, error_code(refused)) == (403, "wrong_setup_code")
    assert not setup_service.is_done()


@pytest.mark.security("set-up-once")
def test_guesses_at_the_code_are_limited(client: PageClient) -> None:
    statuses = [set_up(client, "0000-0000-0000-0000").status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    assert set_up(client).status_code == 429
    assert set_up(client, address="192.0.2.2").status_code == 201


def test_a_weak_password_or_a_bad_name_can_be_mended(client: PageClient) -> None:
    assert error_code(set_up(client, password="short")) == "password_too_short"
    assert error_code(set_up(client, username="")) == "username_invalid"
    assert set_up(client).status_code == 201


def test_pages_lead_to_set_up_first_and_to_sign_in_afterwards(client: PageClient) -> None:
    assert client.get("/login").location == "/setup"
    assert client.get("/setup").status_code == 200
    set_up(client)
    client.delete_cookie("__Host-mingchat")
    assert client.get("/setup").location == "/login"
    assert client.get("/login").status_code == 200


def test_the_code_is_announced_until_an_administrator_exists(
    app: Flask, capsys: pytest.CaptureFixture[str], make_user: MakeUser
) -> None:
    account_service.announce()
    assert capsys.readouterr().out == f"Set-up code: {setup_service.code()}\n"
    make_user("admin", "admin")
    account_service.announce()
    assert capsys.readouterr().out == ""
