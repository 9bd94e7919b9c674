"""A MariaDB server of the test run's own: a folder under /tmp, a free port on loopback, gone afterwards."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pymysql  # type: ignore[import-untyped]

from tests.support.ports import free_port

DATABASE = "mingchat"
START_SECONDS = 60


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database (utf8mb4), while the block runs."""
    # Not pytest's own folder: a socket's path may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="mdb", ignore_cleanup_errors=True) as folder:
        socket_path, port = f"{folder}/m.sock", free_port()
        data = Path(folder) / "data"
        _run(
            "mariadb-install-db",
            "--no-defaults",
            "--user=root",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        log = Path(folder) / "log"
        with log.open("wb") as output, _mariadbd(data, socket_path, port, output) as process:
            try:
                _wait_for(process, socket_path, log)
                with pymysql.connect(user="root", unix_socket=socket_path) as connection:
                    connection.cursor().execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
                yield f"mysql+pymysql://root@127.0.0.1:{port}/{DATABASE}"
            finally:
                process.terminate()


def _mariadbd(data: Path, socket_path: str, port: int, output: BinaryIO) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            _program("mariadbd"),
            "--no-defaults",
            "--user=root",
            f"--datadir={data}",
            f"--socket={socket_path}",
            f"--port={port}",
            f"--pid-file={data.parent}/m.pid",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            # Durability is the server's own business; here it would only cost time.
            "--innodb-flush-log-at-trx-commit=0",
        ],
        stdout=output,
        stderr=output,
    )


def _wait_for(process: "subprocess.Popen[bytes]", socket_path: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(socket_path) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"MariaDB does not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def _run(name: str, *arguments: str) -> None:
    subprocess.run([_program(name), *arguments], check=True, capture_output=True)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise RuntimeError(f"{name} is not installed: `make services` installs what the tests need")
    return found
