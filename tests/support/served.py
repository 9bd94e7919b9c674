"""The application as people get it: started by scripts/start.py, under its real web server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
USERNAME, PASSWORD = "founder", "violet harbour lantern"
HANDED_ON = ("PATH", "LANG", "TMPDIR", "MINGCHAT_VENV")


@dataclass
class Served:
    """A running server; `headers` are those of the administrator once `set_up` has been called."""

    process: "subprocess.Popen[str]"
    base_url: str
    environ: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        return self.ask("GET", path, None)

    def post(self, path: str, content: dict[str, Any]) -> urllib3.BaseHTTPResponse:
        return self.ask("POST", path, content)

    def ask(self, method: str, path: str, content: Any, *, whole: bool = True) -> urllib3.BaseHTTPResponse:
        headers = {"Origin": self.base_url} | self.headers
        pool = urllib3.PoolManager(retries=False, timeout=60)
        return pool.request(method, self.base_url + path, json=content, headers=headers, preload_content=whole)

    def signal(self, number: int) -> None:
        """To gunicorn and its workers."""
        os.killpg(self.process.pid, number)

    def workers(self) -> int:
        """How many processes gunicorn has started."""
        return len(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split())

    def assert_sound_ledger(self) -> None:
        """Ask `flask usage verify`, beside the running server."""
        command = [sys.executable, "-m", "flask", "usage", "verify"]
        said = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr

    def set_up(self) -> None:
        code = self.next_line().removeprefix("Set-up code: ")
        reply = self.post("/api/setup", {"code": code, "username": USERNAME, "password": PASSWORD})
        assert reply.status == 201, reply.data
        self.headers = {
            "Cookie": reply.headers["Set-Cookie"].split(";")[0],
            "X-CSRF-Token": reply.json()["csrf_token"],
        }

    def next_line(self) -> str:
        """What a person sees next in the terminal; waits for it."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def chat(self, message: str, **fields: str) -> "Stream":
        return Stream(self.ask("POST", "/api/chat", {"message": message} | fields, whole=False))

    def follow(self, run_id: str, after: int = 0) -> "Stream":
        return Stream(self.ask("GET", f"/api/runs/{run_id}/events?after={after}", None, whole=False))


class Stream:
    """The events of one answer, one after the other; `last_id` is the number of the newest."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        assert response.status == 200, response.data
        self.last_id = 0
        self._response = response

    def close(self) -> None:
        self._response.close()

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        name = ""
        for line in self._lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("id: "):
                self.last_id = int(line[4:])
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])

    def _lines(self) -> Iterator[str]:
        rest = b""
        for piece in iter(lambda: self._response.read1(65536), b""):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.decode() for line in lines)


@contextmanager
def served(instance: Path, **settings: str) -> Iterator[Served]:
    """Start the server on a free port, with its database in `instance`; it is ended if it still runs."""
    port = free_port()
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environ |= {"HOME": str(instance), "INSTANCE_DIR": str(instance), "PORT": str(port)} | settings
    command = [sys.executable, "scripts/start.py"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            running = Served(process, f"http://127.0.0.1:{port}", environ)
            first = running.next_line()
            assert first == f"MingChat is ready: http://localhost:{port}", first
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
