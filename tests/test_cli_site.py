"""`flask site …`: the name, the language and the announcements, from a terminal."""

from datetime import timedelta
from pathlib import Path

from click.testing import Result
from flask import Flask

from flask_app.database import transaction, utc_now
from flask_app.models import Conversation, User
from flask_app.services.site import announcement_service, site_service
from tests.support.logos import png


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["site", *arguments])


def test_a_site_is_named_and_greets(app: Flask) -> None:
    assert run(app, "show").output == "name: (as usual)\nlanguage: (as each browser asks)\naccent: (as usual)\n"
    assert run(app, "name", "育才中学").output == "育才中学\n"
    assert run(app, "language", "en").output == "en\n"
    assert run(app, "accent", "#1F5B96").output == "#1f5b96\n"
    assert run(app, "show").output == "name: 育才中学\nlanguage: en\naccent: #1f5b96\n"
    assert run(app, "accent", "").output == "(as usual)\n"
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
    changed = run(app, "reannounce", now, "later", "--kind", "warning", "--to", "2999-01-02")
    assert [line.split()[1:] for line in changed.output.splitlines()[1:]] == [
        ["shown", "warning", announcement_service.listed()[0].first.isoformat(), "2999-01-02", "later"]
    ]
    assert run(app, "reannounce", "nothing", "words").exit_code == 1
    assert run(app, "reannounce", now, " ").exit_code == 1
    assert run(app, "announcements").output.splitlines()[1].split()[0] == now


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    for arguments, words in (
        (("name", "x" * 41), "1 to 40 visible characters"),
        (("accent", "yellow"), "six digits"),
        (("accent", "#ffff00"), "darker"),
        (("language", "fr"), "zh, zh-Hant, en, ja"),
        (("announce", " "), "1 to 1000 characters"),
        (("announce", "x", "--from", "2999-01-02", "--to", "2999-01-01"), "last day"),
        (("unannounce", "nothing"), "not"),
    ):
        result = run(app, *arguments)
        assert result.exit_code != 0, arguments
        assert words in result.output, result.output


def test_how_long_things_are_kept_is_said_and_changed(app: Flask) -> None:
    def told(*arguments: str) -> dict[str, str]:
        lines = run(app, "keep", *arguments).output.splitlines()
        return {what.strip(): days for what, _, days in (line.rpartition("  ") for line in lines[1:])}

    assert told() == {"conversations": "forever", "files": "forever", "audit log": "forever"}
    assert told("30") == {"conversations": "30", "files": "forever", "audit log": "forever"}
    assert told("forever", "--group", "Everyone")["conversations of Everyone"] == "forever"
    assert "conversations of Everyone" not in told("site", "--group", "Everyone")
    assert told("7", "--files") == {"conversations": "30", "files": "7", "audit log": "forever"}
    assert told("2", "--files", "--group", "Everyone")["files of Everyone"] == "2"
    assert "files of Everyone" not in told("site", "--files", "--group", "Everyone")
    assert told("365", "--audit") == {"conversations": "30", "files": "7", "audit log": "365"}
    assert told("forever") == {"conversations": "forever", "files": "7", "audit log": "365"}
    assert told("forever", "--files")["files"] == "forever"


def test_what_would_go_at_once_takes_a_yes(app: Flask, member: User) -> None:
    with transaction() as session:
        session.add(Conversation(user_id=member.id, title="old", updated_at=utc_now() - timedelta(days=31)))
    refused = run(app, "keep", "30")
    assert (refused.exit_code, "conversations 1, of people 1" in refused.output) == (1, True), refused.output
    assert run(app, "keep", "30", "--yes").exit_code == 0
    for words in (("many",), ("0",), ("site",), ("0", "--files"), ("site", "--files"), ("site", "--audit")):
        assert run(app, "keep", *words).exit_code == 1
    assert run(app, "keep", "30", "--files", "--audit").exit_code == 2
    assert run(app, "keep", "30", "--files", "--group", "nobody's").exit_code == 1


def test_a_site_has_a_logo(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "logo"
    file.write_bytes(png(64, 32))
    assert run(app, "logo", str(file)).output == "image/png, 64 x 32\n"
    file.write_bytes(b"<svg/>")
    refused = run(app, "logo", str(file))
    assert (refused.exit_code, "no PNG or WebP" in refused.output) == (1, True)
    assert site_service.site().logo
    assert run(app, "logo").output == "(as usual)\n"
    assert site_service.site() == site_service.Site()
