"""`flask requests` from a terminal."""

from datetime import timedelta
from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import insert

from flask_app.database import new_id, utc_now, writing
from flask_app.models import ProgramRequest, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention
from flask_app.services.gateway.request_retention import Kept
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from tests.support import gateway
from tests.support.requests import row


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["requests", *arguments])


def test_what_programs_asked_is_listed_and_searched(app: Flask, member: User) -> None:
    token = gateway.made(member, "Editor").token
    whose = {"user_id": member.id, "token_id": token.id}
    failed = {"status": 404, "error_code": "model_not_found", "model": None}
    ids = sorted(new_id() for _ in range(3))
    each_ones: tuple[dict[str, Any], ...] = (whose, whose | failed, {})
    rows = [row(id=each, **fields) for each, fields in zip(ids, each_ones, strict=True)]
    with writing() as connection:
        connection.execute(insert(ProgramRequest), rows)
    head, gone, *lines = run(app, "list").stdout.splitlines()
    heads = "WHEN PERSON TOKEN CALL MODEL STATUS ERROR ATTEMPTS MS BYTES ID RECORD"
    assert head.split() == heads.split()
    assert gone.split()[1] == "somebody", "who has gone is named by the id"
    assert lines[0].split()[1:10] == [
        "member",
        "Editor",
        "chat.completions",
        "-",
        "404",
        "model_not_found",
        "1",
        "1,200",
        "2,345",
    ]
    for wanted, count in (
        (("--user", "member"), 2),
        (("--token", token.id, "--status", "4xx"), 1),
        (("--error", "left"), 0),
        (("--model", "deepseek-flash", "--from", "2026-01-01"), 2),
        (("--id", lines[0].split()[-2]), 1),
    ):
        assert len(run(app, "list", *wanted).stdout.splitlines()) == count + 1, wanted
    first = run(app, "list", "--limit", "2")
    rest = run(app, "list", "--before", first.stderr.split()[-1])
    both = [*first.stdout.splitlines()[1:], *rest.stdout.splitlines()[1:]]
    assert [line.split() for line in both] == [line.split() for line in (gone, *lines)]


def test_how_long_they_are_kept_is_said_and_changed(app: Flask) -> None:
    assert run(app, "keep").output.split("\n")[1].split() == ["of", "everybody", "30"]
    assert run(app, "keep", "7").exit_code == 0
    assert request_retention.kept() == Kept(7)


def test_how_many_would_go_is_said_first(app: Flask) -> None:
    moment = utc_now() - timedelta(days=9)
    with writing() as connection:
        connection.execute(insert(ProgramRequest), [row(id=new_id(moment), created_at=moment)])
    refused = run(app, "keep", "7")
    assert refused.exit_code == 1
    assert "programs' requests 1" in refused.output
    assert request_retention.kept() == Kept(30)
    assert run(app, "keep", "7", "--yes").exit_code == 0
    assert request_retention.kept() == Kept(7)


def test_a_group_may_have_another_number(app: Flask) -> None:
    group = group_service.add(Actor(None), Choices(name="Class 3b")).group
    told = run(app, "keep", "2", "--group", "class 3B").output.split("\n")
    assert told[2].split() == ["of", "Class", "3b", "2"]
    assert request_retention.kept() == Kept(30, {group.id: 2})
    assert run(app, "keep", "site", "--group", "Class 3b").exit_code == 0
    assert request_retention.kept() == Kept(30)
    assert run(app, "keep", "2", "--group", "nobody").exit_code == 1


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    for days in ("0", "3651", "site", "1.5", "forever"):
        told = run(app, "keep", days)
        assert told.exit_code == 1
        assert "1 to 3650 days" in told.output
