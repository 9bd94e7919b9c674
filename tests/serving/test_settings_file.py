"""`.env` beside the code is read by every way to start, and the environment wins."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from scripts import environment, settings_file
from tests.support.checkouts import copied
from tests.support.ports import free_port

ROOT = settings_file.FILE.parent
START = (sys.executable, "scripts/start.py")
GUNICORN = (sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py")
MAKE = ("make", "--silent", "run", f"PYTHON={sys.executable}")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """The code somewhere else, where a `.env` disturbs nobody."""
    with copied(tmp_path / "mingchat") as place:
        yield place


@contextmanager
def running(copy: Path, *command: str, log: IO[str] | None = None, **settings: str) -> Iterator[str]:
    """What the server says first; its log goes to `log`."""
    given = environ(copy, settings)
    process = subprocess.Popen(
        command, cwd=copy, env=given, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    )
    with process:
        try:
            assert process.stdout
            yield process.stdout.readline()
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


def environ(copy: Path, settings: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(copy.parent), "MINGCHAT_VENV": str(environment.VENV)} | settings


def write(copy: Path, port: int, *lines: str) -> None:
    (copy / ".env").write_text("\n".join([f"PORT={port}", "INSTANCE_DIR=kept", *lines]) + "\n")


@pytest.mark.parametrize("command", [START, MAKE, GUNICORN], ids=["start", "make", "gunicorn"])
def test_a_start_reads_the_file(copy: Path, command: tuple[str, ...]) -> None:
    port = free_port()
    write(copy, port)
    if command == GUNICORN:
        subprocess.run([sys.executable, "-m", "scripts.migrate"], cwd=copy, env=environ(copy, {}), check=True)
    with running(copy, *command) as said:
        assert said == f"MingChat is ready: http://localhost:{port}\n"
    assert (copy / "kept" / "mingchat.db").exists()
    assert not (copy / "instance").exists()


def test_the_environment_wins(copy: Path) -> None:
    port = free_port()
    write(copy, 1, "WEB_CONCURRENCY=abc")
    with running(copy, *START, PORT=str(port), WEB_CONCURRENCY="1") as said:
        assert said == f"MingChat is ready: http://localhost:{port}\n"


def test_flasks_commands_read_it_too(copy: Path) -> None:
    write(copy, 5000)
    subprocess.run([sys.executable, "-m", "scripts.migrate"], cwd=copy, env=environ(copy, {}), check=True)
    elsewhere = copy.parent
    command = [sys.executable, "-m", "flask", "--app", str(copy / "wsgi.py"), "users", "list"]
    said = subprocess.run(command, cwd=elsewhere, env=environ(copy, {}), capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("NAME ")
    assert not (elsewhere / "kept").exists(), "the folder that the file names is beside the file"


def test_a_wrong_value_in_it_is_named(copy: Path) -> None:
    write(copy, 99999)
    said = subprocess.run(START, cwd=copy, env=environ(copy, {}), capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr == "A setting is wrong: PORT must be a whole number from 1 to 65535, not '99999'.\n"


def test_a_misspelt_name_is_told_and_keeps_nobody_from_starting(copy: Path) -> None:
    shutil.copy(ROOT / ".env.example", copy)
    write(
        copy,
        free_port(),
        "DEEPSEK_API_KEY=sk-0123456789",
        "prot=1",
        "COMPOSE_FILE=a.yml",
        "MY_OWN=1",
        "SENTRY_DSN_FILE=",
    )
    with (copy / "log").open("w+") as log, running(copy, *START, log=log) as said:
        assert said.startswith("MingChat is ready: ")
        log.seek(0)
        warning, *_ = log.read().splitlines()
    told = {"DEEPSEK_API_KEY (is DEEPSEEK_API_KEY meant?)", "prot (is PORT meant?)"}
    beginning, _, names = warning.partition(": ")
    assert (beginning, set(names.split(", "))) == (f"{copy / '.env'} sets what is no setting", told)


def test_what_a_setting_needs_is_installed_with_the_start(copy: Path) -> None:
    (copy / "requirements-observe.txt").write_text("!\n")  # pip is asked for it, and does not understand
    write(copy, free_port(), "SENTRY_DSN=https://key@sentry.example.org/1")
    done = subprocess.run(
        START, cwd=copy, env=environ(copy, {}), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "Installing what traces and error reports need" in done.stdout
    assert "pip could not install what traces and error reports need" in done.stderr


def test_a_file_that_is_no_text_is_told(copy: Path) -> None:
    (copy / ".env").write_bytes(b"PORT=\xff\xfe")
    said = subprocess.run(START, cwd=copy, env=environ(copy, {}), capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr == f"{copy / '.env'} cannot be read: it is no text in UTF-8.\n"


def test_a_shell_reads_the_example(tmp_path: Path) -> None:
    command = ["sh", "-euc", f'set -a; . {ROOT / ".env.example"}; printf %s "$CHAT_RATE_LIMIT"']
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "5 per minute"


def test_tests_depend_on_nobodys_file() -> None:
    assert os.environ[settings_file.SKIP]
