"""Signing in and out, the first administrator, one's own account."""

import threading
import time
from statistics import median
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading, transaction, utc_now
from flask_app.models import AuditEntry, PasswordLink, Setting, User
from flask_app.services import account_service, password_links, passwords, setup_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient, new_client

STRONG = "two sparrows under one umbrella"
USER_COLUMNS = [column.key for column in User.__table__.columns]
LOGIN = {"username": "member", "password": PASSWORD}


def error_code(response: Any) -> str:
    return str(response.json["error"]["code"])


def login(client: PageClient, username: str = "member", password: str = PASSWORD, address: str = "192.0.2.1") -> Any:
    return client.post(
        "/api/login",
        json={"username": username, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    )


def stored(user: User) -> User:
    with reading() as session:
        return session.get_one(User, user.id)


# Signing in and out


def test_signing_in_gives_a_session_and_its_csrf_token(client: PageClient, member: User) -> None:
    response = client.post("/api/login", json=LOGIN)
    assert response.status_code == 200
    body = response.json
    assert body is not None
    assert set(body) == {"user", "csrf_token"}
    assert set(body["user"]) == {
        *("id", "username", "role", "locale", "theme", "timezone", "disabled", "online"),
        *("created_at", "last_sign_in_at", "last_seen_at"),
    }
    assert body["user"]["created_at"].endswith("Z")
    assert client.get("/api/me").json == body
    assert stored(member).last_sign_in_at is not None


@pytest.mark.parametrize("name", ["member", "MEMBER", "ｍember", " member "])
def test_a_name_may_be_typed_in_any_case_and_width(client: PageClient, member: User, name: str) -> None:
    assert login(client, name).status_code == 200


def test_known_and_unknown_people_get_the_same_answer(client: PageClient, member: User) -> None:
    with transaction() as session:
        session.add(User(username="invited", username_key="invited"))
    wrong = [login(client, name, STRONG) for name in ("member", "nobody", "invited", "")]
    assert {response.status_code for response in wrong} == {401}
    assert {error_code(response) for response in wrong} == {"wrong_credentials"}
    assert len({(response.json["error"]["message"], len(response.data)) for response in wrong}) == 1
    assert len({tuple(sorted(response.headers.keys())) for response in wrong}) == 1


def test_known_and_unknown_people_take_the_same_time(app: Flask, make_user: MakeUser) -> None:
    people = [make_user(f"person {number}") for number in range(8)]

    def seconds(username: str, number: int) -> float:
        client = new_client(app)
        begun = time.perf_counter()
        assert login(client, username, STRONG, f"192.0.2.{number}").status_code == 401
        return time.perf_counter() - begun

    seconds("warm", 200)
    known = median(seconds(user.username, number) for number, user in enumerate(people))
    unknown = median(seconds(f"nobody {number}", 100 + number) for number in range(8))
    assert known == pytest.approx(unknown, rel=0.5)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "member"},
        {"username": "member", "password": None},
        {"username": ["member"], "password": PASSWORD},
        {"username": "member", "password": PASSWORD, "role": "admin"},
    ],
)
def test_a_body_that_is_not_as_expected_is_refused(client: PageClient, member: User, body: dict[str, Any]) -> None:
    assert client.post("/api/login", json=body).status_code == 422


@pytest.mark.parametrize("raw", [b"", b"{", b'{"username": "\xff"}', b'{"username": "\\ud800", "password": "x"}'])
def test_a_body_that_is_not_json_is_refused(client: PageClient, raw: bytes) -> None:
    assert client.post("/api/login", data=raw, content_type="application/json").status_code == 400


def test_a_hostile_name_or_password_is_only_wrong(client: PageClient, member: User) -> None:
    for hostile in ("' OR '1'='1", "member\x00", "%", "a" * 100_000, "{0.__class__}"):
        assert login(client, hostile, hostile).status_code in {401, 422}


def test_the_session_id_changes_at_sign_in_and_the_old_one_ends(client: PageClient, member: User, app: Flask) -> None:
    login(client)
    first = client.session_token
    client.csrf_token = ""
    login(client)
    assert client.session_token != first
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", first, secure=True)
    assert thief.get("/api/me").status_code == 401


def test_a_planted_cookie_does_not_become_a_session(client: PageClient, member: User) -> None:
    client.set_cookie("__Host-mingchat", "planted", secure=True)
    login(client)
    assert client.session_token != "planted"


def test_signing_out_ends_the_session_on_the_server(member_client: PageClient, app: Flask) -> None:
    token = member_client.session_token
    response = member_client.post("/logout")
    assert response.status_code == 204
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert member_client.session_token == ""
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", token, secure=True)
    assert thief.get("/api/me").status_code == 401


def test_signing_out_ends_only_this_session_and_keeps_the_device(
    client: PageClient, member: User, member_client: PageClient
) -> None:
    client.csrf_token = login(client).json["csrf_token"]
    client.post("/logout")
    assert member_client.get("/api/me").status_code == 200
    assert client.get_cookie("__Host-mingchat-device") is not None


def test_signing_out_twice_is_no_failure(member_client: PageClient) -> None:
    assert [member_client.post("/logout").status_code for _ in range(2)] == [204, 204]


def test_a_hash_of_weaker_parameters_is_replaced_at_sign_in(client: PageClient, member: User) -> None:
    weak = PasswordHasher(memory_cost=8192, time_cost=1).hash(PASSWORD)
    with transaction() as session:
        session.get_one(User, member.id).password_hash = weak
    assert login(client, password=STRONG).status_code == 401
    assert stored(member).password_hash == weak
    assert login(client).status_code == 200
    fresh = stored(member).password_hash
    assert fresh is not None
    assert not passwords.is_outdated(fresh)
    assert login(client).status_code == 200


# Guessing


def test_guesses_at_one_account_are_limited(client: PageClient, member: User) -> None:
    for number in range(10):
        assert login(client, password=STRONG, address=f"192.0.2.{number}").status_code == 401
    refused = login(client, address="192.0.2.99")
    assert (refused.status_code, error_code(refused)) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900


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
    forger.set_cookie("__Host-mingchat-device", device, secure=True)
    assert login(forger, address="192.0.2.99").status_code == 429


def test_guesses_from_one_address_are_limited_whatever_the_name(client: PageClient, member: User) -> None:
    statuses = [login(client, f"person {number}", STRONG).status_code for number in range(21)]
    assert statuses == [401] * 20 + [429]
    assert login(client, address="192.0.2.2").status_code == 200


def test_an_ipv6_subscriber_is_one_address(client: PageClient, member: User) -> None:
    for number in range(20):
        login(client, f"person {number}", STRONG, f"2001:db8:1:2:{number:x}::1")
    assert login(client, address="2001:db8:1:2:ffff::1").status_code == 429
    assert login(client, address="2001:db8:1:3::1").status_code == 200


def test_signing_in_rightly_is_not_counted(app: Flask, make_user: MakeUser) -> None:
    people = [make_user(f"pupil {number}").username for number in range(25)]
    assert {login(new_client(app), name).status_code for name in people} == {200}


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


# Set-up


def set_up(client: PageClient, code: str | None = None, address: str = "192.0.2.1", **fields: str) -> Any:
    body = {"code": code or setup_service.code(), "username": "首位", "password": STRONG} | fields
    return client.post("/api/setup", json=body, environ_overrides={"REMOTE_ADDR": address})


def test_the_first_administrator_is_made_with_the_code_and_signed_in(client: PageClient) -> None:
    response = set_up(client)
    assert response.status_code == 201
    assert response.json["user"]["role"] == "admin"
    assert client.get("/api/me").json["user"]["username"] == "首位"  # type: ignore[index]
    with reading() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["setup.finish"]
        assert session.get(Setting, "setup") is not None


def test_the_code_may_be_typed_carelessly(client: PageClient) -> None:
    typed = setup_service.code().lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert set_up(client, typed).status_code == 201


def test_set_up_happens_once(client: PageClient) -> None:
    assert set_up(client).status_code == 201
    client.csrf_token = ""
    again = set_up(client, username="second")
    assert (again.status_code, error_code(again)) == (409, "setup_done")
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


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


# Password links


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


# One's own account


def test_choices_are_kept_and_the_rest_stays(member_client: PageClient) -> None:
    member_client.patch("/api/me", json={"locale": "en", "theme": "dark", "timezone": "Europe/Berlin"})
    user = member_client.patch("/api/me", json={"theme": "light"}).json["user"]  # type: ignore[index]
    assert (user["locale"], user["theme"], user["timezone"]) == ("en", "light", "Europe/Berlin")
    assert member_client.get("/api/me").json["user"] == user  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {"locale": "fr"},
        {"theme": "pink"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"timezone": ""},
        {"timezone": "x" * 1000},
    ],
)
def test_an_unknown_choice_is_refused(member_client: PageClient, body: dict[str, str]) -> None:
    assert member_client.patch("/api/me", json=body).status_code == 422


@pytest.mark.parametrize(
    "column", [column.key for column in User.__table__.columns if column.key not in account_service.CHOICES]
)
def test_no_other_column_can_be_written(member_client: PageClient, member: User, column: str) -> None:
    values = {name: getattr(stored(member), name) for name in USER_COLUMNS}
    for value in ("admin", True, None, 1):
        assert member_client.patch("/api/me", json={column: value, "theme": "dark"}).status_code == 422
    assert {name: getattr(stored(member), name) for name in values} == values


def test_a_new_password_ends_the_other_sessions_and_renews_this_one(
    member: User, member_client: PageClient, sign_in: SignIn, app: Flask, client: PageClient
) -> None:
    other, before = sign_in(member), member_client.session_token
    changed = member_client.post("/api/me/password", json={"current": PASSWORD, "new": STRONG})
    assert changed.status_code == 204
    assert other.get("/api/me").status_code == 401
    assert member_client.session_token != before
    member_client.csrf_token = changed.headers["X-CSRF-Token"]
    assert member_client.patch("/api/me", json={"theme": "dark"}).status_code == 200
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", before, secure=True)
    assert thief.get("/api/me").status_code == 401
    assert login(client).status_code == 401
    assert login(client, password=STRONG).status_code == 200


def test_the_current_password_must_be_right(member_client: PageClient, member: User) -> None:
    statuses = [
        member_client.post("/api/me/password", json={"current": STRONG, "new": STRONG}).status_code for _ in range(11)
    ]
    assert statuses == [401] * 10 + [429]
    assert stored(member).password_hash == member.password_hash


def test_a_weak_new_password_changes_nothing(member_client: PageClient, member: User) -> None:
    refused = member_client.post("/api/me/password", json={"current": PASSWORD, "new": "member member member"})
    assert refused.status_code == 422
    assert stored(member).password_hash == member.password_hash
    assert member_client.get("/api/me").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("get", "/api/me"), ("patch", "/api/me"), ("post", "/api/me/password")])
def test_signed_out_there_is_no_account(client: PageClient, method: str, path: str) -> None:
    response = getattr(client, method)(path, **({} if method == "get" else {"json": {}}))
    assert (response.status_code, error_code(response)) == (401, "sign_in_required")


# Where to go after signing in


@pytest.mark.parametrize("path", ["/", "/dashboard", "/c/01abc?x=1#y", "/admin/users?q=%E6%9D%8E"])
def test_after_signing_in_one_goes_on_where_one_was(client: PageClient, admin: User, path: str) -> None:
    page = client.get("/login", query_string={"next": path}).get_data(as_text=True)
    assert f'data-next="{path}"' in page


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/x\\..\\evil",
    ],
)
def test_nobody_is_sent_to_another_site(client: PageClient, member_client: PageClient, admin: User, path: str) -> None:
    assert 'data-next="/"' in client.get("/login", query_string={"next": path}).get_data(as_text=True)
    assert member_client.get("/login", query_string={"next": path}).location == "/"
