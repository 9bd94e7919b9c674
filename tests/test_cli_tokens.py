"""`flask tokens …`: access tokens from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.models import User
from tests.support.gateway import Program, made


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["tokens", *arguments])


def test_tokens_are_listed_and_revoked(app: Flask, member: User) -> None:
    token = made(member, days=30)
    head, line = run(app, "list").output.splitlines()
    assert head.split()[:5] == ["ID", "PERSON", "NAME", "TOKEN", "STATE"]
    assert line.split()[:5] == [token.token.id, "member", "editor", f"…{token.secret[-4:]}", "active"]
    assert token.secret not in line
    assert run(app, "revoke", token.token.id).output == "Revoked.\n"
    assert "revoked" in run(app, "list").output
    assert Program(app, token.secret).get("/v1/models").status_code == 401


def test_what_is_not_there_is_said(app: Flask) -> None:
    assert run(app, "list").output.splitlines() == ["ID  PERSON  NAME  TOKEN  STATE  EXPIRES  LAST USED"]
    result = run(app, "revoke", "nothing")
    assert result.exit_code != 0
    assert "Error" in result.output
