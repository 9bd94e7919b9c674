"""`flask audit` from a terminal."""

import pytest
from click.testing import Result
from flask import Flask

from flask_app.models import User


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


@pytest.mark.usefixtures("admin")
def test_what_was_done_is_listed_the_newest_first(app: Flask, member: User) -> None:
    run(app, "users", "reset-link", member.username)
    run(app, "users", "create", "anna")
    head, newest, before, *_ = run(app, "audit").output.splitlines()
    assert head.split() == ["WHEN", "WHO", "FROM", "ACTION", "ABOUT", "DETAILS"]
    assert "user.add" in newest
    assert '"username": "anna"' in newest
    assert "user.reset_link" in before
    _, only = run(
        app, "audit", "--who", "(command line)", "--about", member.id, "--from", "2026-01-01"
    ).output.splitlines()
    assert "user.reset_link" in only


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    told = run(app, "audit", "--action", "user.eat")
    assert told.exit_code == 1
    assert "There is no such action" in told.output
