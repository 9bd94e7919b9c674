"""The processes under test: the scripted provider, the bare relay, MingChat. Each for one `with`."""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
STOP_SECONDS = 45.0
USERNAME, PASSWORD = "bench", secrets.token_urlsafe(24)
GUNICORN = (sys.executable, "-m", "gunicorn")
SETUP_CODE = re.compile(r"Set-up code: (\S+)")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready. `settings` are those of a MingChat."""

    pid: int
    port: int
    settings: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> dict[str, object]:
        return self._exchange("GET", path, None, headers or {})[0]

    def post(self, path: str, content: object) -> tuple[dict[str, object], dict[str, str]]:
        """The reply to a JSON body, and its headers."""
        headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{self.port}"}
        return self._exchange("POST", path, msgspec.json.encode(content), headers)

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[dict[str, object], dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        if response.status >= 400:
            raise SystemExit(f"{method} {path}: {response.status} {content[:500]!r}")
        return msgspec.json.decode(content, type=dict[str, object]), dict(response.headers)


@contextlib.contextmanager
def upstream(rate: float) -> Iterator[Server]:
    """The scripted provider, with its counters at zero."""
    port = free_port()
    with _process([sys.executable, "-m", "bench.upstream", str(port), str(rate)], port, {}, ROOT) as process:
        yield Server(process.pid, port)


@contextlib.contextmanager
def relay(provider: Server) -> Iterator[Server]:
    """The bare relay under gunicorn with one gevent worker."""
    port = free_port()
    options = f"-k gevent -w 1 --worker-connections 2000 --no-control-socket --pythonpath {ROOT} -b 127.0.0.1:{port}"
    command = [*GUNICORN, *options.split(" "), "--log-level", "warning", "bench.relay:application"]
    with tempfile.TemporaryDirectory() as elsewhere:  # away from the application's gunicorn.conf.py
        settings = {"UPSTREAM_PORT": str(provider.port)}
        with _process(command, port, settings, Path(elsewhere)) as process:
            yield Server(process.pid, port)


@dataclass(frozen=True, slots=True)
class Redis(Server):
    """A Redis that is ready."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextlib.contextmanager
def redis() -> Iterator[Redis]:
    """A Redis that keeps nothing on disk."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = f"--port {port} --bind 127.0.0.1 --dir {folder} --appendonly no --save"
        with _process(["redis-server", *options.split(" "), ""], port, {}, Path(folder)) as process:
            yield Redis(process.pid, port)


@contextlib.contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A folder with the code of an earlier revision, for as long as the block runs."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "earlier"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder, revision], cwd=ROOT, check=True)
        try:
            yield folder
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


@contextlib.contextmanager
def mingchat(
    provider: Server, redis_url: str = "", root: Path = ROOT, beside: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """MingChat as it comes, one worker, on a new SQLite database; its administrator can sign in.

    `root` is where its code is; an earlier revision's runs on the libraries of this one. `beside` are settings
    beside the usual ones.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as instance:
        settings = _settings(provider, port, instance) | {"REDIS_URL": redis_url} | dict(beside or {})
        subprocess.run([sys.executable, "-m", "scripts.migrate"], env=_environment(settings), cwd=root, check=True)
        command = [*GUNICORN, "--config", "gunicorn.conf.py"]
        with _process(command, port, settings, root) as process:
            server = Server(process.pid, port, settings)
            code = _setup_code(process)
            server.post("/api/setup", {"code": code, "username": USERNAME, "password": PASSWORD})
            without_titles = [sys.executable, "-m", "flask", "models", "titles"]  # the relay writes none either
            subprocess.run(without_titles, env=_environment(settings), cwd=root, check=True, stdout=subprocess.DEVNULL)
            yield server


@contextlib.contextmanager
def on_database(provider: Server, database_url: str) -> Iterator[Server]:
    """MingChat as it comes, one worker, on a database that is migrated and has its people."""
    port = free_port()
    with tempfile.TemporaryDirectory() as instance:
        settings = _settings(provider, port, instance) | {"DATABASE_URL": database_url}
        with _process([*GUNICORN, "--config", "gunicorn.conf.py"], port, settings, ROOT) as process:
            yield Server(process.pid, port)


@contextlib.contextmanager
def command(database_url: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `flask` command on that database, under way."""
    with tempfile.TemporaryDirectory() as instance:
        environment = _environment({"INSTANCE_DIR": instance, "DATABASE_URL": database_url})
        with subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words], env=environment, cwd=ROOT
        ) as process:
            yield process


def people_of(server: Server, count: int) -> list[dict[str, dict[str, str]]]:
    """That many new members of a MingChat: see `people.make`."""
    command = [sys.executable, "-m", "bench.people", str(count)]
    made = subprocess.run(command, env=_environment(server.settings), cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(made.stdout, type=list[dict[str, dict[str, str]]])


def session_of(server: Server) -> dict[str, str]:
    """The cookie of a new session of the administrator."""
    _, headers = server.post("/api/login", {"username": USERNAME, "password": PASSWORD})
    return {"Cookie": headers["Set-Cookie"].partition(";")[0]}


def _settings(provider: Server, port: int, instance: str) -> dict[str, str]:
    return {
        "PORT": str(port),
        "INSTANCE_DIR": instance,
        "DATABASE_URL": f"sqlite:///{instance}/bench.db",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": secrets.token_urlsafe(48),
        "DEEPSEEK_API_KEY": "bench-key",
        "DEEPSEEK_BASE_URL": f"http://127.0.0.1:{provider.port}",
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "CHAT_RATE_LIMIT": "1000000 per minute",
        "MAX_RUNS_PER_USER": "1000",
    }


class _Process(subprocess.Popen[bytes]):
    """A child whose output is kept in a file, to be read when it fails."""

    output: Path


@contextlib.contextmanager
def _process(command: list[str], port: int, settings: Mapping[str, str], cwd: Path) -> Iterator[_Process]:
    with tempfile.NamedTemporaryFile() as output:
        process = _Process(command, env=_environment(settings), cwd=cwd, stdout=output, stderr=subprocess.STDOUT)
        process.output = Path(output.name)
        try:
            _wait_until_ready(process, port)
            yield process
        finally:
            _stop(process)


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONUNBUFFERED": "1", "FLASK_SKIP_DOTENV": "1", **settings}


def _wait_until_ready(process: _Process, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            probe.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")  # Redis answers that too, if not kindly
            if probe.recv(1):  # gunicorn listens before its worker can answer
                return
        time.sleep(0.1)
    raise SystemExit(f"{process.args!r} did not start:\n{process.output.read_text()[-3000:]}")


def _stop(process: _Process) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _setup_code(process: _Process) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if found := SETUP_CODE.search(process.output.read_text()):
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"no set-up code was printed:\n{process.output.read_text()[-3000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
