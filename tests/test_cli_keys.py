"""`flask keys add`: a key from standard input, and never on the screen."""

from flask import Flask

from flask_app.cli_keys import keys
from flask_app.models import ApiKey
from flask_app.services import environment_key, key_admin_service
from tests.support.scripted_upstream import ScriptedUpstream

SECRET = "sk-canary-0123456789abcdef"


def added() -> list[ApiKey]:
    return [key for key in key_admin_service.listed() if key.id != environment_key.ID]


def test_a_key_is_kept_and_its_models_read(app: Flask, upstream: ScriptedUpstream) -> None:
    result = app.test_cli_runner().invoke(keys, ["add", "team", "--secret-stdin"], input=f"{SECRET}\n")
    assert result.exit_code == 0, result.output
    assert upstream.journal.last.key == SECRET
    (key,) = added()
    assert (key.label, key.hint, key.last_error_code) == ("team", "cdef", None)
    assert key.id in result.output
    assert SECRET not in result.output


def test_a_refusal_is_said(app: Flask, upstream: ScriptedUpstream) -> None:
    upstream.keys = {"another"}
    result = app.test_cli_runner().invoke(keys, ["add", "team", "--secret-stdin"], input=f"{SECRET}\n")
    assert result.exit_code == 0
    assert "upstream_key_refused" in result.output


def test_what_cannot_be_a_key_is_refused_in_words(app: Flask, upstream: ScriptedUpstream) -> None:
    result = app.test_cli_runner().invoke(keys, ["add", "team", "--secret-stdin"], input="\n")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "API key" in result.output
    assert added() == []


def test_a_secret_is_not_taken_from_the_command_line(app: Flask) -> None:
    assert app.test_cli_runner().invoke(keys, ["add", "team", SECRET]).exit_code == 2
    assert app.test_cli_runner().invoke(keys, ["add", "team"]).exit_code == 2
