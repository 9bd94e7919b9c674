"""`flask users …`: people from a terminal."""

import dataclasses
from datetime import UTC, datetime

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import event, select

from flask_app import config
from flask_app.database import reading
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.people import group_service, names, setup_service
from flask_app.services.people.group_service import Choices
from flask_app.services.queries import paging
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import authenticator, passkeys
from tests.support.clients import PageClient

STRONG = "two sparrows under one umbrella"


def run(app: Flask, *arguments: str, typed: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["users", *arguments], input=typed)


def person(name: str) -> User | None:
    with reading() as session:
        return session.scalar(select(User).where(User.username_key == names.key(name)))


@pytest.mark.security("no-secret-in-an-address")
@pytest.mark.parametrize(
    ("hosts", "proxies", "address"),
    [
        ((), 0, "http://localhost:5000"),
        (("192.0.2.7",), 0, "http://192.0.2.7:5000"),
        (("192.0.2.7:8080",), 0, "http://192.0.2.7:8080"),
        (("chat.example.org:8443",), 1, "https://chat.example.org:8443"),
        ((".example.org", "chat.example.org"), 1, "https://chat.example.org"),
    ],
)
def test_a_link_is_whole(app: Flask, hosts: tuple[str, ...], proxies: int, address: str) -> None:
    usual = config.current()
    allowed = (*config.Config.allowed_hosts, *hosts)
    config.install(dataclasses.replace(usual, allowed_hosts=allowed, trusted_proxies=proxies, port=5000))
    try:
        result = run(app, "create", "小明")
    finally:
        config.install(usual)
    assert f"Good for 24 hours: {address}/reset#" in result.output


def link_in(result: Result) -> str:
    return result.output.strip().rpartition("/reset#")[2]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", ""])
def test_a_person_is_added_with_the_password_from_stdin(app: Flask, client: PageClient, line_end: str) -> None:
    result = run(app, "create", "小明", "--password-stdin", typed=f"{STRONG}{line_end}")
    assert result.exit_code == 0
    assert result.output == "Added 小明 (member).\n"
    assert client.post("/api/login", json={"username": "小明", "password": STRONG}).status_code == 200


def test_an_administrator_ends_set_up(app: Flask) -> None:
    assert setup_service.code_line()
    assert run(app, "create", "root", "--admin", "--password-stdin", typed=f"{STRONG}\n").exit_code == 0
    assert setup_service.code_line() is None
    assert run(app, "create", "second", "--admin", "--password-stdin", typed=f"{STRONG}\n").exit_code == 0
    person_made = person("second")
    assert person_made
    assert person_made.role == "admin"


def test_a_site_that_is_set_up_here_begins_with_what_any_site_does(app: Flask) -> None:
    run(app, "create", "member", "--password-stdin", typed=f"{STRONG}\n")
    assert title_setting.chosen() is None, "it is not set up yet"
    run(app, "create", "root", "--admin", "--password-stdin", typed=f"{STRONG}\n")
    assert title_setting.chosen() == title_setting.DEFAULT
    title_setting.choose(Actor(None), None)
    run(app, "create", "second", "--admin", "--password-stdin", typed=f"{STRONG}\n")
    assert title_setting.chosen() is None, "a choice stays"


def test_without_a_password_a_link_is_printed(app: Flask, client: PageClient) -> None:
    token = link_in(run(app, "create", "new"))
    assert client.post("/api/password-reset", json={"token": token, "password": STRONG}).status_code == 200
    assert client.post("/api/login", json={"username": "new", "password": STRONG}).status_code == 200


def test_a_reset_link_lets_somebody_choose_anew(app: Flask, client: PageClient, member: User) -> None:
    token = link_in(run(app, "reset-link", "MEMBER"))
    assert client.post("/api/login", json={"username": "member", "password": PASSWORD}).status_code == 200
    client.csrf_token = ""
    assert client.post("/api/password-reset", json={"token": token, "password": STRONG}).status_code == 200
    assert client.post("/api/login", json={"username": "member", "password": PASSWORD}).status_code == 401


def test_a_person_joins_the_group_that_is_named(app: Flask) -> None:
    group = group_service.add(Actor(None), Choices(name="Class 3b")).group
    assert run(app, "create", "pupil", "--group", "CLASS 3B").exit_code == 0
    assert run(app, "create", "teacher", "--group", "所有人").exit_code == 0
    pupil, teacher = person("pupil"), person("teacher")
    assert pupil
    assert teacher
    assert (pupil.group_id, teacher.group_id) == (group.id, DEFAULT_GROUP_ID)


def test_the_groups_are_listed_with_their_people(app: Flask, member: User) -> None:
    group_service.add(Actor(None), Choices(name="Class", on_disconnect="limit", tokens=500))
    group_service.add(Actor(None), Choices(name="Club", on_disconnect="stop"))
    result = app.test_cli_runner().invoke(args=["groups", "list"])
    assert result.output.splitlines() == [
        "NAME      PEOPLE  WHEN THE READER LEAVES",
        "Everyone  1       continue",
        "Class     0       500 more tokens",
        "Club      0       stop",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "x", "--group", "nowhere", "--password-stdin"], "There is no such group."),
        (["create", "admin", "--password-stdin"], "This username is taken."),
        (["create", "", "--password-stdin"], "A username has 1 to 64 visible characters."),
        (["reset-link", "nobody"], "There is nobody called nobody."),
        (["turn-off-second-step", "nobody"], "There is nobody called nobody."),
        (["turn-off-second-step", "admin"], "Two-step sign-in is not on."),
        (["remove-passkeys", "nobody"], "There is nobody called nobody."),
        (["remove-passkeys", "admin"], "There are no passkeys to remove."),
    ],
)
def test_a_failure_is_a_sentence_and_an_exit_code(
    app: Flask, make_user: MakeUser, arguments: list[str], words: str
) -> None:
    make_user("admin", "admin")
    result = run(app, *arguments, typed=f"{STRONG}\n")
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {words}")
    assert result.output.count("\n") == 1


def test_a_weak_password_is_refused_and_not_repeated(app: Flask) -> None:
    result = run(app, "create", "x", "--password-stdin", typed="password12345678\n")
    assert result.exit_code == 1
    assert "well known" in result.output
    assert "password12345678" not in result.output
    assert person("x") is None


def test_the_audit_log_says_that_it_was_the_command_line(app: Flask) -> None:
    run(app, "create", "new", "--password-stdin", typed=f"{STRONG}\n")
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert (entry.actor_id, entry.actor_name, entry.action) == (None, "(command line)", "user.add")


def test_the_list_names_everybody_in_columns(app: Flask, make_user: MakeUser) -> None:
    authenticator.turn_on(
        make_user("admin", "admin", id="1" * 26, last_sign_in_at=datetime(2026, 11, 20, 7, 5, tzinfo=UTC))
    )
    make_user("小明", id="2" * 26, disabled=True, email="ming@example.com")
    result = run(app, "list")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "NAME   ROLE    STATE     SECOND STEP  PASSKEYS  LAST SIGN-IN       GROUP     E-MAIL",
        "小明   member  disabled  off          none      never              Everyone  ming@example.com",
        "admin  admin   active    on           none      2026-11-20T07:05Z  Everyone  -",
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("--search", "MIN"), ["amina", "Jasmin"]),
        (("--search", "ming@example.com"), ["Jasmin"]),
        (("--search", "class 3b"), ["amina"]),
        (("--group", "Class 3b"), ["amina"]),
        (("--state", "disabled"), ["Jasmin"]),
        (("--state", "waiting", "--group", "Everyone"), []),
    ],
)
def test_people_are_looked_for(app: Flask, make_user: MakeUser, wanted: tuple[str, ...], found: list[str]) -> None:
    group = group_service.add(Actor(None), Choices(name="Class 3b")).group
    make_user("Jasmin", id="1" * 26, disabled=True, email="ming@example.com")
    make_user("amina", id="2" * 26, group_id=group.id)
    _, *lines = run(app, "list", *wanted).output.splitlines()
    assert [line.split()[0] for line in lines] == found


def test_a_group_that_there_is_none_of_is_said(app: Flask) -> None:
    assert run(app, "list", "--group", "nobody").exit_code == 1


def test_the_list_goes_on_after_a_page(app: Flask, monkeypatch: pytest.MonkeyPatch, make_user: MakeUser) -> None:
    monkeypatch.setattr(paging, "MAX_PAGE", 2)
    for number in range(5):
        make_user(f"person{number}", id=f"{number}" * 26)
    _, *lines = run(app, "list").output.splitlines()
    assert [line.split()[0] for line in lines] == [f"person{number}" for number in reversed(range(5))]


def test_an_empty_site_lists_nobody(app: Flask) -> None:
    assert run(app, "list").output == "NAME  ROLE  STATE  SECOND STEP  PASSKEYS  LAST SIGN-IN  GROUP  E-MAIL\n"


def test_who_has_lost_their_phone_signs_in_by_the_password_again(
    app: Flask, client: PageClient, admin: User, sign_in: SignIn
) -> None:
    authenticator.turn_on(admin)
    before = sign_in(admin)
    credentials = {"username": "admin", "password": PASSWORD}
    assert client.post("/api/login", json=credentials).status_code == 401
    result = run(app, "turn-off-second-step", "ADMIN")
    assert (result.exit_code, result.output) == (0, "admin signs in by the password alone from now on.\n")
    assert before.get("/api/me").status_code == 401
    assert client.post("/api/login", json=credentials).status_code == 200
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.turn_off_second_step")).one()
    assert (entry.actor_id, entry.actor_name, entry.target) == (None, "(command line)", admin.id)


def test_a_role_is_given_and_the_last_owner_stays(app: Flask, make_user: MakeUser) -> None:
    make_user("root", "owner")
    make_user("second")
    assert run(app, "role", "second", "admin").output == "second: admin\n"
    refused = run(app, "role", "root", "member")
    assert (refused.exit_code, refused.output.startswith("Error: This is the last owner.")) == (1, True)
    assert run(app, "role", "second", "owner").output == "second: owner\n"
    assert run(app, "role", "root", "member").output == "root: member\n"
    assert run(app, "role", "second", "king").exit_code == 2
    refused = run(app, "role", "second", "manager")
    assert (refused.exit_code, "'owner', 'admin', 'member'" in refused.output) == (2, True)
    rows = [line.split()[:2] for line in run(app, "list").output.splitlines()[1:]]
    assert sorted(rows) == [["root", "member"], ["second", "owner"]]


def test_ownership_and_the_role_end_together_or_not_at_all(app: Flask, make_user: MakeUser) -> None:
    root = make_user("root", "owner")
    make_user("second", "owner")

    def fail(_mapper: object, _connection: object, entry: AuditEntry) -> None:
        if entry.action == "user.change":
            raise OSError("the second half")

    event.listen(AuditEntry, "before_insert", fail)
    try:
        assert run(app, "role", "root", "member").exit_code == 1
    finally:
        event.remove(AuditEntry, "before_insert", fail)
    with reading() as session:
        assert session.get_one(User, root.id).is_owner
    assert run(app, "role", "root", "member").output == "root: member\n"


def test_a_person_is_disabled_and_enabled(app: Flask, member: User) -> None:
    assert run(app, "disable", "member").output == "member: disabled\n"
    assert run(app, "enable", "MEMBER").output == "member: active\n"
    assert run(app, "disable", "nobody").exit_code == 1


def test_passkeys_of_a_lost_device_are_removed(app: Flask, client: PageClient, admin: User, sign_in: SignIn) -> None:
    before = sign_in(admin)
    device, _ = passkeys.add(before)
    assert run(app, "list").output.splitlines()[1].split()[4] == "1"
    assert "flask users remove-passkeys" in run(app, "reset-link", "ADMIN").output
    result = run(app, "remove-passkeys", "ADMIN")
    assert (result.exit_code, result.output) == (0, "admin has no passkeys any more.\n")
    assert "passkeys" not in run(app, "reset-link", "ADMIN").output
    assert before.get("/api/me").status_code == 401
    assert passkeys.sign_in(client, device).status_code == 401
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.remove_passkeys")).one()
    assert (entry.actor_id, entry.actor_name, entry.target) == (None, "(command line)", admin.id)


def test_managers_are_named_listed_and_sent_home(app: Flask, member: User) -> None:
    group_service.add(Actor(None), Choices(name="Class"))
    run_groups = app.test_cli_runner().invoke
    assert run_groups(args=["groups", "managers", "class", "MEMBER"]).output == "member\n"
    assert run_groups(args=["groups", "managers", "class"]).output == "member\n"
    assert (
        run_groups(args=["groups", "managers", "class", "nobody"]).output == "Error: There is nobody called nobody.\n"
    )
    assert run_groups(args=["groups", "managers", "class", "--nobody"]).output == ""
