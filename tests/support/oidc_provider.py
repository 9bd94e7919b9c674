"""A real OpenID Connect provider on loopback, and people who sign in there."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import urllib3

from tests.support.ports import free_port

PROGRAM = Path(__file__).with_name("oidc-provider.mjs")
MOST_STEPS = 12


@dataclass
class RealProvider:
    """What an administrator enters: `issuer`, `client_id` (or another of its clients), `secret`."""

    issuer: str
    secret: str
    client_id: str = "site"

    def know(self, **accounts: dict[str, Any]) -> None:
        """Replace everybody whom it knows: claims by login."""
        reply = urllib3.request("POST", f"{self.issuer}/accounts", json=accounts)
        assert reply.status == 200

    def visit(self, location: str, login: str | None) -> dict[str, str]:
        """Go there as a browser and sign in, or cancel where there is no login; gives what it is sent back with."""
        return _Walk().to(location, {"abort": "yes"} if login is None else {"login": login})


@dataclass
class _Walk:
    cookies: dict[str, str] = field(default_factory=dict)

    def to(self, location: str, answer: dict[str, str]) -> dict[str, str]:
        for _ in range(MOST_STEPS):
            asks = "/interaction/" in location
            reply = self._ask("POST", location, answer) if asks else self._ask("GET", location, None)
            assert reply.status in {302, 303}, reply.data
            location = urljoin(location, reply.headers["Location"])
            if "/login/callback/" in location:
                return dict(parse_qsl(urlsplit(location).query))
        raise AssertionError(f"no way back: {location}")

    def _ask(self, method: str, location: str, form: dict[str, str] | None) -> urllib3.BaseHTTPResponse:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies} if cookies else {}
        pool = urllib3.PoolManager(retries=False)
        if form is None:
            reply = pool.request(method, location, headers=headers, redirect=False)
        else:
            reply = pool.request(method, location, fields=form, encode_multipart=False, headers=headers, redirect=False)
        for cookie in reply.headers.getlist("Set-Cookie"):
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return reply


@contextmanager
def running(*redirect_uris: str, host: str = "localhost") -> Iterator[RealProvider]:
    """A provider that sends people back to these addresses, while the block runs."""
    node, port = shutil.which("node"), free_port()
    assert node, "node is not installed: `make services` installs what the tests need"
    command = [node, str(PROGRAM), str(port), host, *redirect_uris]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            assert said.startswith("listening "), f"it did not start: {said}"
            yield RealProvider(f"http://{host}:{port}", said.removeprefix("listening ").strip())
        finally:
            process.kill()
