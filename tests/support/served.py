"""The application as people get it: started by scripts/start.py, under its real web server."""

import json
import math
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import urllib3

from scripts import settings_file
from tests.support import ledger, storage
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.scripted_upstream import ScriptedUpstream

ROOT = Path(__file__).resolve().parents[2]
USERNAME, PASSWORD = "founder", "violet harbour lantern"
HANDED_ON = ("PATH", "LANG", "TMPDIR", "MINGCHAT_VENV")


@dataclass
class Visitor:
    """A client of the site at `base_url`; `headers` are those of the person who is signed in, `tls` whom it trusts."""

    base_url: str
    headers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        return self.ask("GET", path, None)

    def post(self, path: str, content: dict[str, Any]) -> urllib3.BaseHTTPResponse:
        return self.ask("POST", path, content)

    def ask(self, method: str, path: str, content: Any, *, whole: bool = True) -> urllib3.BaseHTTPResponse:
        headers = {"Origin": self.base_url} | self.headers
        pool = urllib3.PoolManager(retries=False, timeout=60, ssl_context=self.tls)
        reply = pool.request(method, self.base_url + path, json=content, headers=headers, preload_content=whole)
        if whole:
            pool.clear()  # else its connection ends whenever a frame that a failure keeps is collected
        return reply

    def send(self, path: str, content: bytes) -> urllib3.BaseHTTPResponse:
        """A file."""
        headers = {"Origin": self.base_url, "Content-Type": "application/octet-stream"} | self.headers
        pool = urllib3.PoolManager(retries=False, timeout=60, ssl_context=self.tls)
        reply = pool.request("POST", self.base_url + path, body=content, headers=headers)
        pool.clear()
        return reply

    def sign_in(self, reply: urllib3.BaseHTTPResponse) -> None:
        """Be whoever the reply to a sign-in is for."""
        assert reply.status in {200, 201}, reply.data
        self.headers = {
            "Cookie": reply.headers["Set-Cookie"].split(";")[0],
            "X-CSRF-Token": reply.json()["csrf_token"],
        }

    def chat(self, message: str, **fields: str) -> "Stream":
        return Stream(self.ask("POST", "/api/chat", {"message": message} | fields, whole=False))

    def follow(self, run_id: str, after: int = 0) -> "Stream":
        return Stream(self.ask("GET", f"/api/runs/{run_id}/events?after={after}", None, whole=False))


@dataclass(kw_only=True)
class Served(Visitor):
    """A running server; its visitor is the administrator once `set_up` has been called."""

    process: "subprocess.Popen[str]"
    environ: dict[str, str]

    def signal(self, number: int) -> None:
        """To gunicorn and its workers."""
        os.killpg(self.process.pid, number)

    def workers(self) -> list[int]:
        """The processes that gunicorn has started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def assert_sound_ledger(self) -> None:
        """Ask `flask usage verify`, beside the running server."""
        command = [sys.executable, "-m", "flask", "usage", "verify"]
        said = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr

    def set_up(self) -> None:
        code = self.next_line().removeprefix("Set-up code: ")
        self.sign_in(self.post("/api/setup", {"code": code, "username": USERNAME, "password": PASSWORD}))
        self.ask("PUT", "/api/admin/models/titles", {"model_id": None})  # the provider is asked what a test asks

    def next_line(self) -> str:
        """What a person sees next in the terminal; waits for it."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()


class Stream:
    """The events of one answer, one after the other; `last_id` is the number of the newest.

    Raises TimeoutError at the first sign of life after `deadline`, in monotonic seconds.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, deadline: float = math.inf) -> None:
        assert response.status == 200, response.data
        self._deadline = deadline
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
            if time.monotonic() > self._deadline:
                raise TimeoutError
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.decode() for line in lines)
        self.close()


@contextmanager
def served(
    instance: Path, log: IO[str] | None = None, unsound_ledger: str = "", /, **settings: str
) -> Iterator[Served]:
    """Start the server on a free port, with its database in `instance` and its log in `log`; it is ended if it still
    runs, and its ledger must be sound, unless a test says why it cannot be.

    Without one the database is a copy of one that has been migrated; `launch` leaves that to the start."""
    database = instance / "mingchat.db"
    if not settings.get("DATABASE_URL") and not database.exists():
        storage.copy_migrated(database)
    running = launch(instance, free_port(), settings, log)
    with running.process:
        try:
            assert is_ready(running)
            yield running
        finally:
            with suppress(ProcessLookupError):
                running.signal(signal.SIGCONT)  # one that a test left standing could not end
            running.process.send_signal(signal.SIGINT)
            try:
                running.process.wait(60)
            except subprocess.TimeoutExpired:
                running.signal(signal.SIGKILL)  # else leaving `with` would wait for it without end
                raise
    url = settings.get("DATABASE_URL") or f"sqlite:///{instance / 'mingchat.db'}"
    assert unsound_ledger or ledger.unsound_at(url) == []


@contextmanager
def served_to_programs(instance: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    """The same, set up, for programs that ask often; `upstream` is its provider."""
    settings = {"DEEPSEEK_API_KEY": "test-key", "DEEPSEEK_BASE_URL": upstream.base_url, "CHAT_RATE_LIMIT": "999/minute"}
    with served(instance, ALLOW_INSECURE_UPSTREAMS="1", **settings) as running:
        running.set_up()
        yield running
        wait_until(lambda: running.get("/api/conversations").status == 200)


def launch(
    instance: Path, port: int, settings: Mapping[str, str], log: IO[str] | None = None, root: Path = ROOT
) -> Served:
    """Start the server; its log goes to `log`, its code comes from `root`."""
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environ |= {"HOME": str(instance), "INSTANCE_DIR": str(instance), "PORT": str(port)}
    environ |= {settings_file.SKIP: "1"} | dict(settings)
    command = [sys.executable, "scripts/start.py"]
    process = subprocess.Popen(
        command, cwd=root, env=environ, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    )
    return Served(process=process, environ=environ, base_url=f"http://127.0.0.1:{port}")


def is_ready(server: Served) -> bool:
    """Once the server says so; False where it says something else, or ends."""
    return server.next_line().startswith("MingChat is ready: http://localhost:")
