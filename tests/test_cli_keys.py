"""`flask keys …`: a key goes in from standard input, and never onto the screen."""

import dataclasses
import re
from datetime import UTC, datetime

from flask import Flask

from flask_app.cli_keys import keys
from flask_app.database import transaction
from flask_app.models import ApiKey
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import environment_key, key_admin_service
from flask_app.services.providers.key_admin_service import NewKey
from tests.support.scripted_upstream import ScriptedUpstream

COMMAND_LINE = Actor(user=None)
SECRET = "sk-canary-0123456789abcdef"


def added() -> list[ApiKey]:
    return [status.key for status in key_admin_service.listed() if status.key.id != environment_key.ID]


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
    assert "The provider does not accept this key." in result.output


def test_what_cannot_be_a_key_is_refused_in_words(app: Flask, upstream: ScriptedUpstream) -> None:
    result = app.test_cli_runner().invoke(keys, ["add", "team", "--secret-stdin"], input="\n")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "API key" in result.output
    assert added() == []


def test_a_secret_is_not_taken_from_the_command_line(app: Flask) -> None:
    assert app.test_cli_runner().invoke(keys, ["add", "team", SECRET]).exit_code == 2
    assert app.test_cli_runner().invoke(keys, ["add", "team"]).exit_code == 2


def test_the_list_tells_the_state_of_every_key_and_no_secret(app: Flask, upstream: ScriptedUpstream) -> None:
    assert added() == []  # the environment's key is stored by now
    new = NewKey(label="团队", secret=SECRET, base_url=upstream.base_url)
    team = key_admin_service.add(COMMAND_LINE, new).key
    key_admin_service.change(COMMAND_LINE, team.id, disabled=True)
    upstream.keys = {"test-key"}
    at = "2026-11-20T07:05Z"
    refused = key_admin_service.add(COMMAND_LINE, dataclasses.replace(new, label="old", secret="short-one")).key
    with transaction() as session:
        session.get_one(ApiKey, environment_key.ID).secret = None
        key = session.get_one(ApiKey, refused.id)
        key.last_error_at, key.benched_until = (
            datetime(2026, 11, 20, 7, 5, tzinfo=UTC),
            datetime(2099, 1, 1, tzinfo=UTC),
        )
    result = app.test_cli_runner().invoke(keys, ["list"])
    assert result.exit_code == 0, result.output
    head, *lines = result.output.splitlines()
    assert head.split() == ["LABEL", "PROVIDER", "HINT", "STATE", "LAST", "ERROR"]
    assert [re.split("  +", line) for line in lines] == [
        [environment_key.LABEL, "DeepSeek", "-", "no secret", "-"],
        ["团队", "DeepSeek", "…cdef", "disabled", "-"],
        ["old", "DeepSeek", "-", "benched until 2099-01-01T00:00Z", f"upstream_key_refused {at}"],
    ]
    assert SECRET not in result.output
    assert "short-one" not in result.output


def test_a_key_is_changed_tried_and_deleted(app: Flask, upstream: ScriptedUpstream) -> None:
    new = NewKey(label="team", secret=SECRET, base_url=upstream.base_url, provider_name="House")
    key_id = key_admin_service.add(COMMAND_LINE, new).key.id
    run = app.test_cli_runner().invoke
    for arguments, said in (
        (["change", "team", "--off"], "team: off"),
        (["change", "team", "--label", "crew", "--on", "--priority", "3", "--weight", "2"], "crew: on"),
        (["change", "crew", "--most", "4", "--account", "A", "--low-balance", "12.50"], "crew: on"),
        (["test", "crew"], "It works"),
        (["balance", "crew"], "110"),
        (["unbench", "crew"], "crew"),
        (["provider", "House", "7"], "House: 7"),
    ):
        result = run(keys, arguments)
        assert (result.exit_code, said in result.output) == (0, True), result.output
    (key,) = [each for each in added() if each.id == key_id]
    assert (key.priority, key.weight, key.max_concurrent, key.account) == (3, 2, 4, "A")
    assert (key.low_balance_micros, key.provider.priority) == (12_500_000, 7)
    assert run(keys, ["change", "crew", "--most", "0", "--account", "", "--low-balance", ""]).exit_code == 0
    (key,) = [each for each in added() if each.id == key_id]
    assert (key.max_concurrent, key.account, key.low_balance_micros) == (None, None, None)
    upstream.keys = {"another"}
    assert "does not accept this key" in run(keys, ["test", "crew"]).output
    assert run(keys, ["delete", "crew"]).exit_code == 0
    assert run(keys, ["delete", "crew"]).output == "Error: There is no key crew.\n"
    assert run(keys, ["provider", "nobody", "1"]).exit_code == 1
