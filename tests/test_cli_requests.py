"""`flask requests` from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention
from flask_app.services.gateway.request_retention import Kept
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["requests", *arguments])


def test_how_long_they_are_kept_is_said_and_changed(app: Flask) -> None:
    assert run(app, "keep").output.split("\n")[1].split() == ["of", "everybody", "30"]
    assert run(app, "keep", "7").exit_code == 0
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
