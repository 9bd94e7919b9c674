"""The development server, as `make dev` starts it: what it says, and that it leaves nothing behind."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from scripts import settings_file
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.served import HANDED_ON, ROOT, Served

MOMENT = re.compile(r"\d\d:\d\d:\d\d")


def test_it_says_where_it_listens_in_plain_lines_and_is_listed_no_longer_once_it_has_ended(tmp_path: Path) -> None:
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environ |= {"INSTANCE_DIR": str(tmp_path), "PORT": str(port := free_port()), settings_file.SKIP: "1"}
    subprocess.run([sys.executable, "-m", "scripts.migrate"], cwd=ROOT, env=environ, check=True)
    command, log = [sys.executable, "run.py"], tmp_path / "log"
    with (
        log.open("w") as written,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=written, text=True) as process,
    ):
        running = Served(process=process, environ=environ, base_url=f"http://127.0.0.1:{port}")
        try:
            assert running.next_line() == f"MingChat is ready: http://localhost:{port}"
            assert [running.get(path).status for path in ("/healthz", "/nothing")] == [200, 404]
            wait_until(lambda: _listed(tmp_path / "mingchat.db") == running.workers())
        finally:
            os.kill(running.workers()[0], signal.SIGTERM)  # the one that serves; the other ends with it
            process.wait(60)
    assert _listed(tmp_path / "mingchat.db") == []
    lines = log.read_text().splitlines()
    assert any("/nothing" in line and "404" in line for line in lines)
    assert [line for line in lines if len(MOMENT.findall(line)) != 1 or "u001b" in line or "\x1b" in line] == []


def _listed(database: Path) -> list[int]:
    with closing(sqlite3.connect(database)) as connection:
        return [
            process for (process,) in connection.execute("SELECT process FROM server_processes WHERE ended_at IS NULL")
        ]
