"""`flask site …`: the name, the language and the announcements, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.services import announcement_service, site_service


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["site", *arguments])


def test_a_site_is_named_and_greets(app: Flask) -> None:
    assert run(app, "show").output == "name: (as usual)\nlanguage: (as each browser asks)\n"
    assert run(app, "name", "育才中学").output == "育才中学\n"
    assert run(app, "language", "en").output == "en\n"
    assert run(app, "show").output == "name: 育才中学\nlanguage: en\n"
    assert run(app, "name", "").output == "(as usual)\n"
    assert run(app, "language", "").output == "(as each browser asks)\n"
    assert site_service.site() == site_service.Site()


def test_something_is_announced_listed_and_taken_away(app: Flask) -> None:
    made = run(app, "announce", "closed\non Friday", "--kind", "warning", "--from", "2999-01-01", "--to", "2999-01-02")
    assert made.exit_code == 0, made.output
    head, line = run(app, "announcements").output.splitlines()
    assert head.split() == ["ID", "STATE", "KIND", "FIRST", "LAST", "TEXT"]
    assert line.split() == [made.stdout.strip(), "planned", "warning", "2999-01-01", "2999-01-02", "closed"]
    assert run(app, "unannounce", made.stdout.strip()).exit_code == 0
    assert announcement_service.listed() == []
    now = run(app, "announce", "at once").stdout.strip()
    assert run(app, "announcements").output.splitlines()[1].split()[0] == now


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    for arguments, words in (
        (("name", "x" * 41), "1 to 40 visible characters"),
        (("language", "fr"), "zh, zh-Hant, en, ja"),
        (("announce", " "), "1 to 1000 characters"),
        (("announce", "x", "--from", "2999-01-02", "--to", "2999-01-01"), "last day"),
        (("unannounce", "nothing"), "not"),
    ):
        result = run(app, *arguments)
        assert result.exit_code != 0, arguments
        assert words in result.output, result.output
