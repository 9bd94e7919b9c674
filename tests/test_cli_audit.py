"""`flask audit` from a terminal."""

import json

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


def test_what_is_more_than_a_page_is_read_on(app: Flask) -> None:
    for name in ("anna", "ben", "chen"):
        run(app, "users", "create", name)
    newest = run(app, "audit", "--limit", "2")
    assert _added(newest) == ["chen", "ben"]
    words, cursor = newest.stderr.rsplit(maxsplit=1)
    assert words == "There are more: --before"
    oldest = run(app, "audit", "--before", cursor)
    assert _added(oldest) == ["anna"]
    assert oldest.stderr == ""
    assert run(app, "audit", "--limit", "101").exit_code == 1


def _added(result: Result) -> list[str]:
    return [json.loads(line[line.index("{") :])["username"] for line in result.stdout.splitlines()[1:]]


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    told = run(app, "audit", "--action", "user.eat")
    assert told.exit_code == 1
    assert "There is no such action" in told.output
