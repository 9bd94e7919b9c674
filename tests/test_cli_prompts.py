"""`flask prompts …`: the prompts for everybody or for a group, from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.models import User
from flask_app.services.prompts import own_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from tests.routes.test_admin_prompts import details
from tests.routes.test_prompts import group


def run(app: Flask, *arguments: str, text: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["prompts", *arguments], input=text)


def test_prompts_are_added_listed_shown_changed_and_deleted(app: Flask, member: User) -> None:
    group("3b")
    own_prompts.add(member, Wanted("own", "a secret of their own", "text"))
    assert run(app, "add", "/sum", "--title", "Sum it up", text="Sum this up:\n{{text}}\n").output == "/sum\n"
    assert run(app, "add", "sum", "--title", "For a class", "--group", "3b", text="Sum it up.").output == "/sum\n"
    head, *rows = run(app, "list").output.splitlines()
    assert head.split() == ["COMMAND", "FOR", "TITLE"]
    shown = sorted(row.split(maxsplit=2) for row in rows)
    assert shown == [["/sum", "(everybody)", "Sum it up"], ["/sum", "3b", "For a class"]]
    assert run(app, "show", "/SUM").output == "Sum this up:\n{{text}}\n"
    assert (
        run(app, "change", "sum", "--group", "3b", "--command", "class", "--text-stdin", text="Anew").output
        == "/class\n"
    )
    assert run(app, "show", "class", "--group", "3b").output == "Anew\n"
    assert run(app, "change", "class", "--group", "3b", "--to-everybody").exit_code == 0
    assert run(app, "change", "class", "--to-group", "3b", "--title", "Whole").exit_code == 0
    assert run(app, "delete", "class", "--group", "3b").exit_code == 0
    assert run(app, "list").output.count("/") == 1
    assert [each["after"] for each in details("prompt.change")] == [
        {"command": "class", "text": "Anew", "length": 4},
        {"group": None},
        {"group": "3b", "title": "Whole"},
    ]


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    run(app, "add", "sum", "--title", "Sum it up", text="Sum this up.")
    for arguments, words in (
        (("show", "absent"), "no such prompt"),
        (("delete", "sum", "--group", "absent"), "no such group"),
        (("add", "a b", "--title", "x"), "letters, digits"),
        (("add", "b", "--title", "x"), "20000 characters"),
        (("change", "absent"), "no such prompt"),
    ):
        result = run(app, *arguments)
        assert result.exit_code == 1, arguments
        assert words in result.output, arguments
    both = run(app, "change", "sum", "--to-group", "3b", "--to-everybody")
    assert (both.exit_code, "--to-group or --to-everybody" in both.output) == (2, True)
    assert "already" in run(app, "add", "SUM", "--title", "x", text="x").output
