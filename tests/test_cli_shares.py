"""`flask shares …`: links to conversations from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.models import User
from flask_app.services.sharing import sharing_policy
from tests.support import sharing, talks


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["shares", *arguments])


def test_they_are_listed_and_ended(app: Flask, member: User) -> None:
    kept = sharing.keep(member, talks.branched(member).id)
    head, line = run(app, "list").output.splitlines()
    assert head.split() == ["ID", "PERSON", "MADE", "ENDS", "FOR", "OPENED"]
    assert line.split()[:2] == [kept.id, "member"]
    assert line.split()[3:] == ["never", "people", "0"]
    assert run(app, "end", kept.id).output == "Ended.\n"
    assert run(app, "list").output.splitlines() == ["ID  PERSON  MADE  ENDS  FOR  OPENED"]
    again = run(app, "end", kept.id)
    assert again.exit_code != 0
    assert "Error" in again.output


def test_who_opens_them_is_said(app: Flask) -> None:
    assert run(app, "allow", "anybody").output == "anybody\n"
    assert sharing_policy.mode() == "anybody"
    assert run(app, "allow", "everybody").exit_code != 0
    assert sharing_policy.mode() == "anybody"
