"""`flask invitations …`: links by which people make accounts of their own, from a terminal."""

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from flask_app import config
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import (
    group_service,
    invitation_admin_service,
    invitation_letters,
    user_admin_service,
)
from flask_app.services.people.group_service import Choices
from flask_app.services.people.invitation_admin_service import Terms
from tests.conftest import MakeUser
from tests.support.invited import HOUSE, join
from tests.support.mail_server import MailServer
from tests.support.warned import use_mail


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["invitations", *arguments])


def test_invitations_are_made_listed_and_revoked(app: Flask, admin: User) -> None:
    group_service.add(HOUSE, Choices(name="Readers"))
    made = run(app, "create", "Class 3b", "--group", "readers", "--most", "30", "--days", "1")
    assert made.exit_code == 0, made.output
    address, _, token = made.stdout.strip().partition("/join#")
    assert address.startswith("http")
    assert f"Code to be typed at {address}/join: {token}\n" in made.stderr
    join(token, "小红")
    head, line = run(app, "list").output.splitlines()
    assert head.split() == ["ID", "NAME", "GROUP", "USED", "STATE", "VALID", "UNTIL", "BY", "LETTER"]
    (listed,) = invitation_admin_service.listed().invitations
    until = f"{listed.invitation.expires_at:%Y-%m-%dT%H:%MZ}"
    assert line.split() == [listed.invitation.id, "Class", "3b", "Readers", "1/30", "open", until, "-", "-"]
    assert listed.invitation.id in made.stderr
    assert token not in run(app, "list").output
    assert run(app, "revoke", listed.invitation.id).output == "Class 3b: revoked\n"
    assert " revoked " in run(app, "list").output


def test_one_whose_maker_may_invite_no_more_says_why(app: Flask, make_user: MakeUser) -> None:
    maker = make_user("maker", "admin")
    invitation_admin_service.make(Actor(maker), Terms(name="Class 3b"))
    user_admin_service.change(HOUSE, maker.id, disabled=True)
    assert " ended: whoever made it may not invite there any more " in run(app, "list").output


def test_a_list_is_invited_and_its_links_are_printed(app: Flask, tmp_path: Path) -> None:
    group_service.add(HOUSE, Choices(name="Readers"))
    file = tmp_path / "people.csv"
    file.write_bytes("\ufeff姓名;邮箱;用户组\r\n小红;hong@example.org;\r\n小明;;everyone\r\n".encode())
    done = run(app, "import", str(file), "--group", "readers", "--days", "30")
    assert done.exit_code == 0, done.output
    first, second = csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff")))
    assert (first["name"], first["email"], first["group"], second["group"]) == (
        *("小红", "hong@example.org"),
        *("Readers", "Everyone"),
    )
    assert first["link"].endswith(f"/join#{first['code']}")
    assert "Invitations: 2" in done.stderr
    join(first["code"], "小红")


@pytest.fixture
def mail(app: Flask) -> Iterator[MailServer]:
    with MailServer() as running:
        use_mail(running.port)
        yield running


def named(*hosts: str, **settings: Any) -> None:
    config.install(dataclasses.replace(config.current(), allowed_hosts=hosts, **settings))


@pytest.mark.parametrize(("proxies", "address"), [(1, "https://chat.example.org"), (0, "http://chat.example.org:5000")])
def test_letters_go_to_a_list_and_are_listed(
    app: Flask, mail: MailServer, tmp_path: Path, proxies: int, address: str
) -> None:
    named("localhost", ".example.net", "chat.example.org", trusted_proxies=proxies, port=5000)
    file = tmp_path / "people.csv"
    file.write_text("小红,hong@example.org\n小明\n", "utf-8")
    done = run(app, "import", str(file), "--send")
    assert done.exit_code == 0, done.output
    assert "Letters on their way: 1\n" in done.stderr
    first, _ = csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff")))
    assert first["link"].startswith(f"{address}/join#")
    assert sorted(line.split()[-1] for line in run(app, "list").output.splitlines()[1:]) == ["-", "waiting"]
    mail.refusals = ["550 nobody here"]
    invitation_letters.send_due()
    assert "  failed (The mail server refused the recipient's address.)\n" in run(app, "list").output
    run(app, "import", str(file), "--send")
    invitation_letters.send_due()
    assert f"{address}/join#" in mail.last.text
    assert "邀请您加入" in mail.last.text, "nobody's name, in the default language"


def test_where_no_letter_can_go_none_is_written(app: Flask, mail: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("小红,hong@example.org\n", "utf-8")
    named("localhost", "127.0.0.1", ".example.org")
    assert "ALLOWED_HOSTS" in run(app, "import", str(file), "--send").output
    named("chat.example.org", mail=None)
    refused = run(app, "import", str(file), "--send")
    assert (refused.exit_code, "SMTP_HOST" in refused.output) == (1, True)
    assert run(app, "list").output.splitlines()[1:] == []


def test_a_list_with_mistakes_makes_nothing(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    for content, words in (
        ("小红,x,y".encode(), "Line 1: There is no group “y”."),
        ("小红".encode("gbk"), "CSV UTF-8"),
        (b"", "nobody in this list"),
        (b"x\n" * 501, "at most 500"),
    ):
        file.write_bytes(content)
        refused = run(app, "import", str(file))
        assert refused.exit_code == 1
        assert words in refused.output
    assert run(app, "import", str(tmp_path / "none.csv")).exit_code == 2
    assert run(app, "list").output.splitlines()[1:] == []


def test_more_than_a_page_of_them_is_listed(app: Flask) -> None:
    for number in range(101):
        invitation_admin_service.make(HOUSE, invitation_admin_service.Terms(name=f"for {number}"))
    assert len(run(app, "list").output.splitlines()) == 102


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    for arguments, words in (
        (("create", " "), "1 to 64 visible characters"),
        (("create", "x", "--most", "0"), "1 to 500 people"),
        (("create", "x", "--most", "501"), "1 to 500 people"),
        (("create", "x", "--days", "31"), "1 to 30 days"),
        (("create", "x", "--group", "nowhere"), "group"),
        (("create",), "NAME"),
        (("revoke", "nothing"), "not"),
    ):
        result = run(app, *arguments)
        assert result.exit_code != 0, arguments
        assert words in result.output, arguments
    assert run(app, "list").output.splitlines()[1:] == []
