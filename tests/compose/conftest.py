"""The shipped Compose file under a real engine: installed, set up, and with a scripted provider on this machine.

With COMPOSE_FOLDER the engine's images stay there for the next run.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from tests.compose import engine
from tests.compose.engine import NEEDED, PATH
from tests.compose.measured import BYTES, SECONDS
from tests.compose.site import GATEWAY, HOST, Site
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, USERNAME, Visitor

STARTED_AGAIN = 120  # seconds


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, size in BYTES.items():
        terminalreporter.write_line(f"{name}: {size / 1e6:.0f} MB")
    for name, time in SECONDS.items():
        terminalreporter.write_line(f"{name}: {time:.0f} s")


@dataclass
class Stack:
    """`admin` is signed in through nginx."""

    site: Site
    upstream: ScriptedUpstream
    admin: Visitor

    def visitor(self) -> Visitor:
        return Visitor(self.site.base_url, tls=self.site.trusting)

    def at(self, instance: str) -> Visitor:
        """The administrator at one instance itself, past nginx."""
        return Visitor(f"http://{instance}:5000", self.admin.headers | {"Host": HOST, "X-Forwarded-Proto": "https"})

    def sign_in(self) -> None:
        """Be the administrator anew."""
        self.admin.headers = {}
        self.admin.sign_in(self.admin.post("/api/login", {"username": USERNAME, "password": PASSWORD}))

    def wait_until_ready(self) -> None:
        wait_until(lambda: self._readiness() == "ok", STARTED_AGAIN)

    def _readiness(self) -> object:
        with suppress(urllib3.exceptions.HTTPError):
            reply = self.visitor().get("/readyz")
            return reply.json().get("status") if reply.status == 200 else reply.status
        return None

    def assert_sound_ledger(self) -> None:
        self.site.inside("flask-app", "flask", "usage", "verify")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    missing = [program for program in NEEDED if not shutil.which(program, path=PATH)]
    assert not missing, f"{missing} not installed: `make compose-services` installs what this needs"
    assert os.geteuid() == 0, "an engine of one's own needs root"
    with ExitStack() as opened:
        kept = os.environ.get("COMPOSE_FOLDER")
        folder = Path(kept or opened.enter_context(tempfile.TemporaryDirectory(prefix="compose")))
        folder.mkdir(exist_ok=True)
        running = opened.enter_context(engine.running(folder))
        engine.stand_in(running, folder)
        clone = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="clone")))
        site = Site(running, clone)
        opened.callback(site.remove)
        upstream = opened.enter_context(ScriptedUpstream(GATEWAY))
        yield Stack(site, upstream, set_up(site, upstream))


def set_up(site: Site, upstream: ScriptedUpstream) -> Visitor:
    admin = Visitor(site.base_url, tls=site.trusting)
    admin.post("/api/setup", {"code": site.setup_code, "username": USERNAME, "password": PASSWORD})
    admin.sign_in(admin.post("/api/login", {"username": USERNAME, "password": PASSWORD}))
    key = {"label": "scripted", "secret": "sk-scripted-key", "base_url": upstream.base_url, "provider_name": "scripted"}
    reply = admin.post("/api/admin/keys", key)
    assert reply.status == 201, reply.data
    admin.ask("PUT", "/api/admin/models/titles", {"model_id": None})  # each request of the journal is an answer's
    return admin
