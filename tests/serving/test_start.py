"""What cannot be started says which setting is wrong, in a sentence, before anything is served."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flask_app.config import Config
from flask_app.errors import ConfigError
from flask_app.settings_reader import MOST_WORKERS
from scripts import settings, settings_file
from tests.support.ports import free_port
from tests.support.served import ROOT, served

START = ("scripts/start.py",)
GUNICORN = ("-m", "gunicorn", "--config", "gunicorn.conf.py")  # as a container may call it
PATIENCE = 60  # seconds

WRONG = [
    *(("WEB_CONCURRENCY", value) for value in ("abc", "0", "-1", "1e3", "2.0", "٣", str(MOST_WORKERS + 1))),
    *(("PORT", value) for value in ("abc", "0", "-1", "65536", "5e3", "٥٠٠٠", "9" * 5000)),
]


def refusal(instance: Path, *command: str, **given: str) -> tuple[int, str]:
    """The exit status and everything that is said; a server that starts all the same is ended."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(instance),
        "INSTANCE_DIR": str(instance),
        "PORT": str(free_port()),
        settings_file.SKIP: "1",
    } | given
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, said


def complaint(instance: Path, **given: str) -> str:
    with pytest.raises(ConfigError) as complaint:
        Config.from_environment({"INSTANCE_DIR": str(instance)} | given)
    return f"A setting is wrong: {complaint.value}.\n"


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_number_that_cannot_stand_is_named_as_the_application_names_it(tmp_path: Path, name: str, value: str) -> None:
    status, said = refusal(tmp_path, *START, **{name: value})
    assert status == 1
    assert said == complaint(tmp_path, **{name: value})
    assert not (tmp_path / "mingchat.db").exists(), "nothing was migrated before"


@pytest.mark.parametrize(
    ("name", "value"),
    [("WEB_CONCURRENCY", "0"), ("WEB_CONCURRENCY", str(MOST_WORKERS + 1)), ("PORT", "abc"), ("PORT", "65536")],
)
def test_gunicorn_by_itself_says_the_same(tmp_path: Path, name: str, value: str) -> None:
    assert refusal(tmp_path, *GUNICORN, **{name: value}) == (1, complaint(tmp_path, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_ANSWER_TOKENS", "1e3"), ("TRUSTED_PROXIES", "-1"), ("UPSTREAM_IDLE_SECONDS", "0"), ("CHAT_RATE_LIMIT", "5")],
)
def test_every_other_number_is_named_too(tmp_path: Path, name: str, value: str) -> None:
    status, said = refusal(tmp_path, *START, **{name: value})
    assert status != 0
    assert f"A setting is wrong: {name} " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "value"), [("DEEPSEEK_API_KEY", "sk-foo"), ("CHAT_RATE_LIMIT", "5"), ("MAX_ANSWER_TOKENS", "1e3")]
)
def test_nothing_but_the_reason_is_said_also_where_nothing_is_left_to_migrate(
    tmp_path: Path, name: str, value: str
) -> None:
    with served(tmp_path):
        pass
    status, said = refusal(tmp_path, *START, **{name: value})
    assert status != 0
    reason, end = said.splitlines()
    assert reason.startswith(f"A setting is wrong: {name} ")
    assert end == settings.NOT_STARTED


def test_settings_that_are_empty_are_as_if_they_were_absent(tmp_path: Path) -> None:
    with served(tmp_path, WEB_CONCURRENCY="", CHAT_RATE_LIMIT="", MAX_ANSWER_TOKENS=" ") as server:
        assert server.get("/readyz").status == 200


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with served(tmp_path / "first") as first:
        taken = first.base_url.rpartition(":")[2]
        status, said = refusal(tmp_path / "second", *START, PORT=taken)
    assert status == 1
    assert f"Cannot listen on 127.0.0.1:{taken}" in said


def test_a_log_level_that_there_is_not_is_named(tmp_path: Path) -> None:
    status, said = refusal(tmp_path, *GUNICORN, GUNICORN_LOG_LEVEL="loud")
    assert status == 1
    assert said.startswith("A setting is wrong: GUNICORN_LOG_LEVEL must be one of debug info ")


@pytest.mark.security("listens-inside")
def test_whoever_listens_for_other_machines_is_told_how_they_get_in(tmp_path: Path) -> None:
    with served(tmp_path, HOST="0.0.0.0") as server:
        assert "ALLOWED_HOSTS" in server.next_line()
        assert server.next_line().startswith("Set-up code: ")
