"""`flask invitations …`: links by which people make accounts of their own, from a terminal."""

import csv
import io
from pathlib import Path

from click.testing import Result
from flask import Flask

from flask_app.models import User
from flask_app.services.people import group_service, invitation_admin_service
from flask_app.services.people.group_service import Choices
from tests.support.invited import HOUSE, join


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
    assert head.split() == ["ID", "NAME", "GROUP", "USED", "STATE", "VALID", "UNTIL", "BY"]
    (listed,) = invitation_admin_service.listed().invitations
    until = f"{listed.invitation.expires_at:%Y-%m-%dT%H:%MZ}"
    assert line.split() == [listed.invitation.id, "Class", "3b", "Readers", "1/30", "open", until, "-"]
    assert listed.invitation.id in made.stderr
    assert token not in run(app, "list").output
    assert run(app, "revoke", listed.invitation.id).output == "Class 3b: revoked\n"
    assert " revoked " in run(app, "list").output


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
