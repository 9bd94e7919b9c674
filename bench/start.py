"""How long the first minute is: a fresh clone, `make run`, set-up, the first answer, and a second start.

`python -m bench.start`. Packages come from pip's cache where it has them; `pip cache purge` empties it.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import IO

from bench.servers import ROOT, free_port

PERSON = {"username": "founder", "password": "violet harbour lantern"}
MOST_FIRST, MOST_AGAIN = 60, 2  # seconds


@dataclass(slots=True)
class _Site:
    port: int
    output: IO[str]
    began: float

    def line(self, beginning: str) -> str:
        """The rest of the line that begins so; waits for it."""
        for line in self.output:
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise SystemExit("the server ended before it was ready")

    def seconds(self) -> float:
        return time.monotonic() - self.began


def main() -> None:
    """Print the seconds of both starts; status 1 where one is too long."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "mingchat"
        git = shutil.which("git") or "git"
        subprocess.run([git, "clone", "--quiet", str(ROOT), str(clone)], check=True)
        with _running(clone) as site:
            code = site.line("Set-up code:")
            ready = site.seconds()
            answer = _ask(site.port, code)
            answered = site.seconds()
        with _running(clone) as site:
            site.line("MingChat is ready")
            again = site.seconds()
    print(f"first `make run`: ready after {ready:.1f} s, an answer of {len(answer)} letters after {answered:.1f} s")
    print(f"second `make run`: ready after {again:.2f} s")
    if answered > MOST_FIRST or again > MOST_AGAIN:
        raise SystemExit(1)


@contextmanager
def _running(clone: Path) -> Iterator[_Site]:
    port, make = free_port(), shutil.which("make") or "make"
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    began = time.monotonic()
    process = subprocess.Popen(
        [make, "run"],
        cwd=clone,
        env=environ | {"PORT": str(port), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    try:
        yield _Site(port, process.stdout, began)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _ask(port: int, code: str) -> str:
    """Make the administrator, send a message, and read the answer to its end."""
    made = _post(port, "/api/setup", PERSON | {"code": code})
    signed_in = {"Cookie": made.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": json.load(made)["csrf_token"]}
    text: str = json.load(_post(port, "/api/chat", {"message": "Say hello."}, signed_in))["text"]
    return text


def _post(port: int, path: str, content: object, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port)
    said = {"Content-Type": "application/json", "Accept": "application/json", "Origin": f"http://127.0.0.1:{port}"}
    connection.request("POST", path, json.dumps(content), said | dict(headers or {}))
    reply = connection.getresponse()
    if reply.status >= 300:
        raise SystemExit(f"{path}: {reply.status} {reply.read()!r}")
    return reply


if __name__ == "__main__":
    main()
