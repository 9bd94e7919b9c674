"""SQLite instances have one server: a second one says so, and two first starts do not meet in the migration."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TextIO

import pytest

from scripts import instance_lock, settings_file
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.served import HANDED_ON, ROOT, Served, launch, served

GUNICORN = (sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py")
MIGRATION = (sys.executable, "-m", "scripts.migrate")
PATIENCE = 60


def said_by(instance: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environ |= {"INSTANCE_DIR": str(instance), "PORT": str(free_port()), settings_file.SKIP: "1"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.mark.parametrize("command", [(sys.executable, "scripts/start.py"), GUNICORN, MIGRATION], ids=" ".join)
def test_a_second_server_is_refused_while_the_first_lives(tmp_path: Path, command: tuple[str, ...]) -> None:
    with served(tmp_path) as first:
        second = said_by(tmp_path, *command)
        assert first.get("/readyz").status == 200
    assert second.returncode == 1
    assert f"MingChat runs on {tmp_path} already (process {first.process.pid})" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert f"Process {first.process.pid} serves {tmp_path}: waiting up to " in second.stdout


def test_a_server_that_died_is_in_nobodys_way(tmp_path: Path) -> None:
    with served(tmp_path) as first:
        first.signal(signal.SIGKILL)
        first.process.wait(PATIENCE)
        with served(tmp_path) as second:
            assert second.get("/readyz").status == 200


def test_of_two_first_starts_at_once_one_serves_and_the_other_says_why_not(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        both = [launch(tmp_path / "instance", free_port(), {}, log) for _ in range(2)]
        lines: list[list[str]] = [[], []]

        def listen(number: int) -> None:
            while line := both[number].next_line():
                lines[number].append(line)
                if line.startswith("MingChat is ready"):
                    return

        listeners = [threading.Thread(target=listen, args=(number,)) for number in range(2)]
        for listener in listeners:
            listener.start()
        for listener in listeners:
            listener.join(PATIENCE)
        ready = [any(line.startswith("MingChat is ready") for line in said) for said in lines]
        for server, is_ready in zip(both, ready, strict=True):
            if not is_ready:  # it is ending, and a signal in the midst of that may leave a word of it
                server.process.wait(PATIENCE)
            _end(server)
    assert sorted(ready) == [False, True], lines
    text = (tmp_path / "log").read_text()
    assert "already exists" not in text
    assert "Traceback" not in text
    assert "runs on" in text


def _end(server: Served) -> None:
    if server.process.poll() is None:
        server.signal(signal.SIGINT)
    server.process.wait(PATIENCE)
    assert server.process.stdout
    server.process.stdout.close()


def test_a_migration_waits_for_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    done = threading.Event()

    def second() -> None:
        with instance_lock.migration():
            done.set()

    with instance_lock.migration():
        waiting = threading.Thread(target=second)
        waiting.start()
        wait_until(lambda: "waiting for it" in capsys.readouterr().out)
        assert not done.wait(0.5)
    waiting.join(PATIENCE)
    assert done.is_set()


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_URL_FILE"])
def test_an_instance_with_a_database_server_is_not_concerned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    monkeypatch.setenv(name, "mysql+pymysql://user@host/mingchat")
    instance_lock.serve()
    with instance_lock.migration():
        assert list(tmp_path.iterdir()) == []


def test_a_lock_says_nothing_of_a_database_that_lies_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(instance_lock, "_held", held := list[TextIO]())
    assert not instance_lock.is_alone()
    instance_lock.serve()
    (lock,) = held
    assert instance_lock.is_alone()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert instance_lock.is_alone()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path.parent / 'shared.db'}")
    assert not instance_lock.is_alone()
    lock.close()
