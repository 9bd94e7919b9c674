"""`flask rates …`: how often may be asked, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["rates", *arguments])


def test_rates_are_set_and_listed(app: Flask) -> None:
    group_service.add(Actor(None), Choices(name="Club"))
    assert run(app, "set", "messages", "20 per 5 minutes").output == "the site, messages: 20 per 5 minutes\n"
    assert run(app, "set", "requests", "none", "--group", "Club").output == "Club, requests: none\n"
    assert run(app, "set", "downloads", "3/hour", "--group", "Club").exit_code == 0
    assert run(app, "set", "downloads", "inherited", "--group", "Club").exit_code == 0
    head, *lines = (line.split("  ") for line in run(app, "list").output.splitlines())
    assert [word.strip() for word in head if word] == ["FOR", "MESSAGES", "DOWNLOADS", "REQUESTS", "VISITS"]
    assert [[word.strip() for word in line if word.strip()] for line in lines] == [
        ["(the whole site)", "20 per 300 seconds", "(60 per hour)", "(600 per minute)", "(600 per minute)"],
        ["Everyone", "(20 per 300 seconds)", "(60 per hour)", "(600 per minute)"],
        ["Club", "(20 per 300 seconds)", "(60 per hour)", "none"],
    ]


def test_what_cannot_be_is_refused_with_a_reason(app: Flask) -> None:
    assert "a rate is written like" in run(app, "set", "messages", "often").output
    assert "no such group" in run(app, "set", "messages", "none", "--group", "Nobody").output
    assert "no kind of request" in run(app, "set", "visits", "none", "--group", "Everyone").output
    assert "1 to 10000" in run(app, "set", "messages", "99999 per day").output
