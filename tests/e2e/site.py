"""A server that browsers visit: started as people start it, with an instance folder of its own."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from bench import proc
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served

COOKIE = "mingchat"
LOCAL_MODEL = b"local_model_server"
UNFINISHED = "SELECT id FROM runs WHERE status = 'running'"
A_WHILE = 10  # seconds


@dataclass(frozen=True)
class Site:
    """`provider` is what its key opens, where it has one."""

    server: Served
    instance: Path
    provider: ScriptedUpstream

    @property
    def url(self) -> str:
        return self.server.base_url

    @property
    def session(self) -> tuple[str, str]:
        """The administrator's cookie, its name and value."""
        name, _, value = self.server.headers["Cookie"].partition("=")
        return name, value

    def set_up(self) -> None:
        """Make the first administrator, and have the environment's key kept, as a first page would."""
        self.server.set_up()
        self.ask("GET", "/api/models")

    def be(self, page: Page) -> None:
        """Take over the session that a page has just opened."""
        value = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)
        token = page.locator("meta[name=csrf-token]").get_attribute("content")
        self.server.headers = {"Cookie": f"{COOKIE}={value}", "X-CSRF-Token": token or ""}

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """The administrator's own request, past the pages: its JSON, or None."""
        reply = self.server.ask(method, path, content)
        assert reply.status < 300, reply.data
        return json.loads(reply.data) if reply.data else None

    def rows(self, query: str, **params: str) -> list[dict[str, Any]]:
        """What stands in the database itself."""
        with closing(sqlite3.connect(f"file:{self.instance / 'mingchat.db'}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, params)]

    def rest(self) -> None:
        """Wait until what other tests have left is written to its end: its records would come among the next one's."""
        with suppress(AssertionError):  # of what hangs its own test tells
            wait_until(lambda: not self.rows(UNFINISHED), A_WHILE)

    def megabytes(self) -> float:
        """Memory (PSS) of the server's processes without the local model's."""
        pid = self.server.process.pid
        models = [child for child in proc.tree(pid) if LOCAL_MODEL in Path(f"/proc/{child}/cmdline").read_bytes()]
        return proc.pss_megabytes(pid) - sum(proc.pss_megabytes(model) for model in models)

    def megabytes_at_rest(self, most: float) -> float:
        """The same as soon as it is less than that, or after a while: what lies free is given back by and by."""
        measured: list[float] = []

        def is_less() -> bool:
            measured.append(self.megabytes())
            return measured[-1] < most

        with suppress(AssertionError):  # whoever asks says so with the figure
            wait_until(is_less, 2 * A_WHILE)
        return measured[-1]


@contextmanager
def opened(instance: Path, provider: ScriptedUpstream, **settings: str) -> Iterator[Site]:
    """Start a site on loopback that lets a person chat as fast as a test can."""
    defaults = {"ALLOW_INSECURE_UPSTREAMS": "1", "CHAT_RATE_LIMIT": "1000 per minute"}
    with served(instance, **(defaults | settings)) as server:
        yield Site(server, instance, provider)
