"""A MySQL server of the test run's own, out of a folder that `make test-mysql` fills with Debian's unstable.

MySQL is in no stable Debian. The folder is a root of its own: what runs there has libraries of its own, and the ports
of this machine.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql  # type: ignore[import-untyped]

from tests.support.mariadb import DATABASE, MariaDB

ROOT = Path(__file__).resolve().parents[2] / ".mysql"


class MySQL(MariaDB):
    """`folder` is below ROOT."""

    def __init__(self, folder: str, *options: str) -> None:
        super().__init__(folder, *options)
        self._inside = Path("/") / Path(folder).relative_to(_root())

    def install(self) -> None:
        """Make the empty database (utf8mb4), and start. As Docker's image does, root may come from anywhere."""
        self._make_data()
        self.start()
        with pymysql.connect(user="root", unix_socket=self._socket) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE USER root@'127.0.0.1'")
            cursor.execute("GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION")
            cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")

    def _make_data(self) -> None:
        command = [*self._program(), "--initialize-insecure"]
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(made.stdout + made.stderr)

    def _command(self) -> list[str]:
        return [
            *self._program(),
            f"--socket={self._inside}/m.sock",
            f"--port={self._port}",
            f"--pid-file={self._inside}/m.pid",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--performance-schema=OFF",
            "--mysqlx=OFF",
            "--explain-format=TRADITIONAL",  # as in 8.4
            "--secure-file-priv=NULL",
            "--character-set-server=utf8mb4",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-doublewrite=OFF",
            *self._options,
        ]

    def _program(self) -> list[str]:
        places = [f"--datadir={self._inside}/data", f"--tmpdir={self._inside}"]
        return ["chroot", str(_root()), "mysqld", "--no-defaults", "--user=root", *places]


def seen_from_here(file: Path) -> Path:
    """Where something is that has this path for the server."""
    return _root() / file.relative_to("/")


def _root() -> Path:
    """MYSQL_FOLDER says where it is, for a folder that several clones share."""
    return Path(os.environ.get("MYSQL_FOLDER") or ROOT)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database, while the block runs."""
    if not (_root() / "usr/sbin/mysqld").exists():
        raise RuntimeError(f"There is no MySQL in {_root()}: `make test-mysql` puts it there")
    with tempfile.TemporaryDirectory(prefix="mysql", dir=_root() / "tmp", ignore_cleanup_errors=True) as folder:
        database = MySQL(folder)
        database.install()
        try:
            yield database.url
        finally:
            database.stop()
