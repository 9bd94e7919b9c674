"""The shipped nginx configuration on ports and in a folder of the test's own, with HTTP/3.

Nothing else is changed but what a test names.
"""

import os
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support import certificates
from tests.support.brokers import wait_until
from tests.support.ports import free_port, is_open

SHIPPED = Path(__file__).resolve().parents[2] / "nginx"
HOST = "localhost"


class Front:
    """A running nginx at `port` (http) and `tls_port`; `trusting` is a client's TLS that knows its certificate."""

    def __init__(self, folder: Path, servers: Sequence[int], changes: Mapping[str, str]) -> None:
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        for name in ("html", "examples"):
            shutil.copytree(SHIPPED / name, folder / name)
        for name in ("cache", "acme", "ssl"):
            (folder / name).mkdir()
        chain, key = certificates.pems(HOST)
        (folder / "ssl/fullchain.pem").write_bytes(chain)
        (folder / "ssl/privkey.pem").write_bytes(key)
        self.trusting = ssl.create_default_context(cadata=chain.decode())
        (folder / "upstream.conf").write_text(_upstream(servers))
        (folder / "nginx.conf").write_text(self._adapted((SHIPPED / "nginx.conf").read_text(), changes))
        here = {"/etc/nginx/html": f"{folder}/html"}
        (folder / "locations.conf").write_text(_replaced((SHIPPED / "locations.conf").read_text(), here))
        (folder / "local").mkdir(exist_ok=True)
        (folder / "local/server-http3.conf").write_text(self._http_3())
        self._program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        assert self._program, "nginx is not installed: `make services` installs what the tests need"
        self._process = subprocess.Popen(self._command())
        wait_until(lambda: is_open(self.tls_port))

    @property
    def base_url(self) -> str:
        return f"https://{HOST}:{self.tls_port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def access_log(self) -> str:
        return (self.folder / "access.log").read_text()

    @property
    def error_log(self) -> str:
        return (self.folder / "error.log").read_text()

    def check(self) -> str:
        """What `nginx -t` says of the configuration: everything it has to complain about, and that it is in order."""
        said = subprocess.run([*self._command(), "-t"], capture_output=True, text=True, check=False)
        return said.stdout + said.stderr

    def reload(self) -> None:
        """New worker processes; the old ones end with their last connection."""
        before = self._workers()
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: self._workers() - before)

    def quit(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _adapted(self, text: str, changes: Mapping[str, str]) -> str:
        places = {
            "listen 80 default_server;": f"listen 127.0.0.1:{self.port} default_server;",
            "listen [::]:80 default_server;": "",
            "listen 443 ssl default_server;": f"listen 127.0.0.1:{self.tls_port} ssl default_server;",
            "listen [::]:443 ssl default_server;": "",
            "pid /run/nginx.pid;": f"pid {self.folder}/nginx.pid;",
            "/var/log/nginx": str(self.folder),
            "/var/cache/": f"{self.folder}/cache/",  # which alone is there without a package of nginx's own makers
            "/var/www/acme": f"{self.folder}/acme",
            "http {\n": "http {\n" + "".join(f"{each}_temp_path {self.folder}/{each};\n" for each in _TEMPORARY),
        }
        return _replaced(text, places | dict(changes))

    def _http_3(self) -> str:
        places = {
            "listen 443 quic": f"listen 127.0.0.1:{self.tls_port} quic",
            "listen [::]:443 quic reuseport;": "",
            'h3=":443"': f'h3=":{self.tls_port}"',
        }
        return _replaced((SHIPPED / "examples/server-http3.conf").read_text(), places)

    def _command(self) -> list[str]:
        account = "user root; " if os.geteuid() == 0 else ""
        place = ["-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "error.log")]
        return [str(self._program), *place, "-g", f"{account}daemon off;"]

    def _workers(self) -> set[str]:
        pid = self._process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


_TEMPORARY = ("proxy", "fastcgi", "uwsgi", "scgi")


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for shipped, here in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


def elsewhere() -> str:
    """What the head of the shipped upstream.conf says to write where there is no Docker."""
    return "\n".join(re.findall(r"^# {5}(.*)$", (SHIPPED / "upstream.conf").read_text(), re.M))


def _upstream(servers: Sequence[int]) -> str:
    text = elsewhere()
    (line,) = re.findall(r"^ *server 127\.0\.0\.1:5001 .*\n", text, re.M)
    return text.replace(line, "".join(line.replace("5001", str(port)) for port in servers))


@contextmanager
def before(folder: Path, servers: Sequence[int], changes: Mapping[str, str] | None = None) -> Iterator[Front]:
    front = Front(folder, servers, changes or {})
    try:
        yield front
    finally:
        front.quit()
