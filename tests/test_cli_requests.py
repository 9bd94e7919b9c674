"""`flask requests` from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services.gateway import request_retention


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["requests", *arguments])


def test_how_long_they_are_kept_is_said_and_changed(app: Flask) -> None:
    assert run(app, "keep").output == "Requests of programs are kept for 30 days.\n"
    assert run(app, "keep", "7").output == "Requests of programs are kept for 7 days.\n"
    assert request_retention.days() == 7


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    told = run(app, "keep", "0")
    assert told.exit_code == 1
    assert "1 to 3650 days" in told.output
