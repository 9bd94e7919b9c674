"""`flask assistants …`: those for everybody or for a group, from a terminal."""

from pathlib import Path

from click.testing import Result
from flask import Flask

from flask_app.domain import files as bounds
from flask_app.models import User
from flask_app.services.assistants import own_assistants
from tests.routes.test_admin_assistants import details
from tests.routes.test_prompts import group
from tests.support import files
from tests.support.assisted import share
from tests.support.scripted_upstream import ScriptedUpstream


def run(app: Flask, *arguments: str, text: str = "") -> Result:
    return app.test_cli_runner().invoke(args=["assistants", *arguments], input=text)


def test_assistants_are_added_listed_shown_changed_and_deleted(
    app: Flask, member: User, upstream: ScriptedUpstream
) -> None:
    group("3b")
    own_assistants.add(member, {"name": "a secret of their own", "icon": "", "instructions": "text"})
    tutor = run(app, "add", "Tutor", "--icon", "T", "--thinking", "max", text="Ask\nback.\n").output.strip()
    other = run(app, "add", "For a class", "--group", "3b", text="Be brief.").output.strip()
    head, *rows = run(app, "list").output.splitlines()
    assert head.split() == ["ID", "FOR", "NAME"]
    assert [row.split(maxsplit=2) for row in rows] == [[other, "3b", "For a class"], [tutor, "(everybody)", "Tutor"]]
    assert run(app, "show", tutor).output == "Ask\nback.\n"
    assert run(app, "change", tutor, "--instructions-stdin", "--name", "Coach", text="Anew").output == "Coach\n"
    assert run(app, "show", tutor).output == "Anew\n"
    assert run(app, "change", tutor, "--model", "deepseek-v4-pro", "--thinking", "usual").exit_code == 0
    assert run(app, "change", tutor, "--model", "usual", "--to-group", "3b").exit_code == 0
    assert run(app, "change", tutor, "--to-everybody").exit_code == 0
    assert run(app, "delete", other).exit_code == 0
    assert "For a class" not in run(app, "list").output
    assert [each["after"] for each in details("assistant.change")] == [
        {"name": "Coach", "instructions": "Anew", "length": 4},
        {"model": "deepseek-v4-pro", "thinking": None},
        {"model": None, "group": "3b"},
        {"group": None},
    ]


def test_documents_are_attached_listed_and_detached(app: Flask, tmp_path: Path, upstream: ScriptedUpstream) -> None:
    tutor = share().id
    (tmp_path / "rules.docx").write_bytes(files.document("Open at nine.", "Quiet, please."))
    (tmp_path / "picture.png").write_bytes(files.picture())
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "macros.docx").write_bytes(files.with_macros())
    (tmp_path / "bomb.docx").write_bytes(files.bomb())
    (tmp_path / "long.txt").write_bytes(b"a" * (bounds.MOST_BYTES + 1))
    assert run(app, "attach", tutor, str(tmp_path / "rules.docx")).exit_code == 0
    (row,) = run(app, "files", tutor).output.splitlines()[1:]
    known, size, tokens, name = row.split()
    assert (int(size) > 1000, int(tokens) > 5, name) == (True, True, "rules.docx")
    for arguments, words in (
        (("attach", tutor, str(tmp_path / "picture.png")), "documents and texts"),
        (("attach", tutor, str(tmp_path / "empty.txt")), "empty"),
        (("attach", tutor, str(tmp_path / "macros.docx")), "cannot be read"),
        (("attach", tutor, str(tmp_path / "bomb.docx")), "demanding"),
        (("attach", tutor, str(tmp_path / "long.txt")), "20 MB"),
        (("attach", "absent", str(tmp_path / "rules.docx")), "no such assistant"),
        (("detach", tutor, "absent"), "not there any more"),
        (("files", "absent"), "no such assistant"),
    ):
        refused = run(app, *arguments)
        assert (refused.exit_code, words in refused.output) == (1, True), (arguments, refused.output)
    for _ in range(9):
        assert run(app, "attach", tutor, str(tmp_path / "rules.docx")).exit_code == 0
    assert "10 documents" in run(app, "attach", tutor, str(tmp_path / "rules.docx")).output
    assert run(app, "detach", tutor, known).exit_code == 0
    assert len(run(app, "files", tutor).output.splitlines()) == 10
    first, *_, last = details("assistant.change")
    assert (first["before"]["files"], first["after"]["files"]) == ({}, {known: "rules.docx"})
    assert (known in last["before"]["files"], known in last["after"]["files"]) == (True, False)


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    for arguments, words in (
        (("show", "absent"), "no such assistant"),
        (("delete", "absent"), "no such assistant"),
        (("change", "absent"), "no such assistant"),
        (("add", "Tutor", "--group", "absent"), "no such group"),
        (("add", "Tutor"), "16000 characters"),
    ):
        result = run(app, *arguments, text="Ask back." if "absent" in arguments else "")
        assert result.exit_code == 1, arguments
        assert words in result.output, arguments
    both = run(app, "change", "x", "--to-group", "3b", "--to-everybody")
    assert (both.exit_code, "--to-group or --to-everybody" in both.output) == (2, True)
