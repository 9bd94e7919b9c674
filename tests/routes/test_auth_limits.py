"""How often a password may be guessed, and by whom."""

import threading

import pytest
from flask import Flask

from flask_app.models import User
from tests.conftest import MakeUser
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login


@pytest.mark.security("guesses-limited")
def test_guesses_at_one_account_are_limited(client: PageClient, member: User) -> None:
    for number in range(10):
        assert login(client, password=STRONG, address=f"192.0.2.{number}").status_code == 401
    refused = login(client, address="192.0.2.99")
    assert (refused.status_code, error_code(refused)) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900


@pytest.mark.security("guesses-limited")
def test_strangers_do_not_lock_the_owner_out(app: Flask, client: PageClient, member: User) -> None:
    assert login(client).status_code == 200
    client.delete_cookie("__Host-mingchat")
    stranger = new_client(app)
    for number in range(12):
        login(stranger, password=STRONG, address=f"192.0.2.{number}")
    assert login(stranger).status_code == 429
    assert login(client).status_code == 200, "a browser that was here before is counted on its own"


def test_a_known_browser_may_not_guess_for_ever(client: PageClient, member: User) -> None:
    assert login(client).status_code == 200
    assert [login(client, password=STRONG).status_code for _ in range(11)] == [401] * 10 + [429]


def test_a_browser_known_to_one_account_is_unknown_to_another(client: PageClient, member: User, admin: User) -> None:
    assert login(client).status_code == 200
    statuses = [login(client, "admin", STRONG, f"192.0.2.{number}").status_code for number in range(11)]
    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize("device", ["", ".", "x.y", "x." + "0" * 32])
def test_a_forged_device_opens_no_window_of_its_own(app: Flask, member: User, device: str) -> None:
    for number in range(10):
        login(new_client(app), password=STRONG, address=f"192.0.2.{number}")
    forger = new_client(app)
    forger.set_cookie("__Host-mingchat-browser", device, secure=True)
    assert login(forger, address="192.0.2.99").status_code == 429


@pytest.mark.security("guesses-limited")
def test_guesses_from_one_address_are_limited_whatever_the_name(client: PageClient, member: User) -> None:
    statuses = [login(client, f"person {number}", STRONG).status_code for number in range(21)]
    assert statuses == [401] * 20 + [429]
    assert login(client, address="192.0.2.2").status_code == 200


@pytest.mark.security("forwarded-headers")
def test_an_ipv6_subscriber_is_one_address(client: PageClient, member: User) -> None:
    for number in range(20):
        login(client, f"person {number}", STRONG, f"2001:db8:1:2:{number:x}::1")
    assert login(client, address="2001:db8:1:2:ffff::1").status_code == 429
    assert login(client, address="2001:db8:1:3::1").status_code == 200


@pytest.mark.parametrize("form", ["::ffff:", "::FFFF:", "0:0:0:0:0:ffff:"])
def test_an_ipv4_address_in_ipv6_form_is_that_address_and_no_network(
    client: PageClient, member: User, form: str
) -> None:
    for number in range(20):
        login(client, f"person {number}", STRONG, f"{form}192.0.2.1")
    assert login(client, address="192.0.2.1").status_code == 429
    assert login(client, address=f"{form}192.0.2.2").status_code == 200


def test_signing_in_rightly_is_not_counted(app: Flask, make_user: MakeUser) -> None:
    people = [make_user(f"pupil {number}").username for number in range(25)]
    assert {login(new_client(app), name).status_code for name in people} == {200}


@pytest.mark.security("guesses-limited")
def test_guesses_sent_all_at_once_do_not_pass_together(app: Flask, member: User) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda number=number: statuses.append(
                login(new_client(app), password=STRONG, address=f"192.0.2.{number}").status_code
            )
        )
        for number in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Two hash at a time: the one whose neighbour fills the window may still be under way.
    assert 10 <= statuses.count(401) <= 11
    assert statuses.count(429) == 30 - statuses.count(401)
