"""`flask registrations …`: accounts without an invitation, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services.people import group_service, registration_settings
from flask_app.services.people.group_service import Choices
from tests.support import registered
from tests.support.registered import HOUSE


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["registrations", *arguments])


def test_people_are_let_in_and_refused(app: Flask) -> None:
    group_service.add(HOUSE, Choices(name="Readers"))
    assert run(app, "allow", "approval", "--group", "readers").output == "approval\n"
    one, two = (registered.asked(name) for name in ("one", "two"))
    head, *lines = run(app, "list").output.splitlines()
    assert head.split() == ["ID", "NAME", "E-MAIL", "ASKED", "FROM"]
    assert [line.split()[:3] for line in lines] == [[one.id, "one", "-"], [two.id, "two", "-"]]
    assert run(app, "accept", one.id).output == "one: Readers\n"
    assert run(app, "refuse", two.id).output == ""
    assert len(run(app, "list").output.splitlines()) == 1


def test_somebody_is_let_into_another_group(app: Flask) -> None:
    group_service.add(HOUSE, Choices(name="Readers"))
    asked = registered.waiting("one")
    assert run(app, "accept", asked.id, "--group", "Readers").output == "one: Readers\n"


def test_more_than_a_page_of_them_is_listed(app: Flask) -> None:
    for number in range(101):
        registered.waiting(f"p{number}", f"192.0.2.{number}")
    assert len(run(app, "list").output.splitlines()) == 102


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    assert "mail is set up" in run(app, "allow", "open", "--domain", "example.org").output
    assert run(app, "allow", "sometimes").exit_code == 2
    assert run(app, "accept", "nobody").exit_code == 1
    assert run(app, "refuse", "nobody").exit_code == 1
    assert not registration_settings.terms().is_open
