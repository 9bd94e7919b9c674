"""Whatever anybody sends to any route of the real server: the reply is as described, never our fault, and nobody gets
or changes what is not theirs.

The suite sends some; `make fuzz-pages` sends a hundred thousand.
"""

import http.client
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from flask_app import create_app, database
from flask_app.config import Config
from flask_app.database import utc_now
from flask_app.models import DEFAULT_GROUP_ID
from tests.support import fuzzed_people, fuzzed_rights, fuzzed_site
from tests.support.brokers import wait_until
from tests.support.fuzzed_api import JSON, LEAST, RANKS, Api, Reply, code_of
from tests.support.fuzzed_bodies import Bodies
from tests.support.fuzzed_pages import Asked, Pages
from tests.support.fuzzed_people import Person
from tests.support.fuzzed_site import Kept
from tests.support.scripted_upstream import Answer, Continued, Embedded, ScriptedUpstream
from tests.support.served import Served, served
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS

REQUESTS = int(os.environ.get("PAGES_FUZZED", "600"))
SEED = int(os.environ.get("PAGES_SEED", "1"))
AT_ONCE = 4
ROUND = min(2000, REQUESTS // 4)
DRAWN = 12 if REQUESTS > 1_000 else 2
SECRET = "the key that only this fuzzed site knows, long enough"
PROVIDERS_KEY = "sk-fuzzed-0f5c7b21d9e84a36"


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.default = Answer("Well.")
        running.script(Continued("well"), path=COMPLETIONS, always=True)
        running.script(Embedded(), path=EMBEDDINGS, always=True)
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {
        "DEEPSEEK_API_KEY": PROVIDERS_KEY,
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "MAX_RUNS_PER_USER": "100",
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEY": SECRET[::-1],
        "TRUSTED_PROXIES": "1",
    }
    with (tmp_path / "log").open("w") as log, served(tmp_path, log, **settings) as running:
        yield running


@pytest.fixture
def beside(tmp_path: Path, server: Served, upstream: ScriptedUpstream) -> Iterator[Flask]:
    """The application once more, on the server's database."""
    app = create_app(
        Config(
            instance_dir=tmp_path,
            secret_key=SECRET,
            encryption_key=SECRET[::-1],
            database_url=f"sqlite:///{tmp_path / 'mingchat.db'}",
            deepseek_api_key=PROVIDERS_KEY,
            deepseek_base_url=upstream.base_url,
            allow_insecure_upstreams=True,
        )
    )
    fuzzed_site.set_up(server)
    yield app
    database.disconnect()


class Sender:
    """Sends what is drawn, AT_ONCE at a time, and counts what comes; what is wrong is kept."""

    def __init__(self, base_url: str, pages: Pages, api: Api, kept: Kept) -> None:
        self._host, self._pages, self._api, self._kept = urlsplit(base_url).netloc, pages, api, kept
        self._lock = threading.Lock()
        self.seen, self.wrong = Counter[tuple[str, str, int]](), list[str]()
        self.logged: dict[str, str] = {}  # whose requests of programs were granted, by their ids
        self.private: list[Person] = []
        self.secrets: list[str] = []

    def send(self, count: int) -> None:
        left = iter(range(count))

        def keep_sending() -> None:
            line = http.client.HTTPConnection(self._host, timeout=60)
            while True:
                with self._lock:
                    if next(left, None) is None:
                        break
                    asked = self._pages.next()
                self._send(line, asked)
            line.close()

        threads = [threading.Thread(target=keep_sending) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, line: http.client.HTTPConnection, asked: Asked) -> None:
        try:
            line.request(asked.method, asked.path, asked.body, asked.headers)
            response = line.getresponse()
            reply = Reply(response.status, response.headers.get_content_type(), response.read())
        except (http.client.HTTPException, OSError) as error:
            line.close()
            self.wrong.append(f"no reply: {error!r}\n{asked}\n")
            return
        self.seen[asked.who.role, str(asked.operation), reply.status] += 1
        if asked.operation.is_of_programs and reply.status < 300:
            self.logged[response.headers["X-Request-Id"]] = asked.who.id
        if fault := self._api.fault(asked.operation, reply) or self._trespass(asked, reply):
            self.wrong.append(f"{fault}: {reply.status} {reply.content[:500]!r}\n{asked}\n")
        self._note(asked, reply)

    def _trespass(self, asked: Asked, reply: Reply) -> str:
        """What somebody got who may not; nothing where all is in order."""
        operation, who = asked.operation, asked.who
        is_granted = reply.status < 300
        if is_granted and not operation.is_of_programs and RANKS[who.role] < LEAST[operation.access]:
            return "granted to a role that may not"
        if is_granted and asked.is_foreign:
            return "granted on somebody else's"
        if is_granted and not asked.is_proved and asked.method not in {"GET", "HEAD"} and LEAST.get(operation.access):
            return "granted to another site's page"
        told = reply.content.decode("utf-8", "replace")
        reads = operation.rule.endswith("/looks") and who.role == "manager"
        if [each for each in self.private if each is not who and not reads and each.word in told]:
            return "tells what somebody else wrote"
        return "tells a secret" if [secret for secret in self.secrets if secret in told] else ""

    def _note(self, asked: Asked, reply: Reply) -> None:
        if asked.method == "POST" and reply.status < 300 and reply.kind == JSON:
            with self._lock:
                self._pages.learn(asked, fuzzed_site.ids_of(json.loads(reply.content)))
        if code_of(reply) == "sign_in_required" and "Cookie" in asked.headers:
            asked.who.renew(asked.headers["Cookie"])
        if code_of(reply) in {"too_many", "chat_rate_limited"}:
            self._kept.lift_rates()


class Rounds:
    """Everybody in turn: those without rights over others together, a manager, an administrator, an owner."""

    def __init__(self, server: Served, upstream: ScriptedUpstream, app: Flask) -> None:
        self._server, self._upstream = server, upstream
        api = Api(app)
        self._pages = Pages(api.operations, Bodies(DRAWN, SEED), server.base_url, SEED)
        self._kept = Kept.now()
        self.sender = Sender(server.base_url, self._pages, api, self._kept)
        self._founder = server.get("/api/me").json()["user"]["id"]

    def play(self, number: int, count: int) -> list[str]:
        """Send so many requests; what they changed that they may not."""
        self._kept.put_back(self._founder)
        managed, other = (fuzzed_site.group(self._server) for _ in range(2))
        manager = self._come("manager", other)
        fuzzed_site.manage(managed, manager)
        member, classmate, stranger = (self._come("member", group) for group in (managed, managed, other))
        owner = self._come("owner", DEFAULT_GROUP_ID)
        casts = [[fuzzed_people.nobody(), member, stranger], [manager], [self._come("admin", managed)], [owner]]
        cast, others = casts[number % len(casts)], [member, classmate, stranger]
        site = fuzzed_site.things(self._server, self._upstream.base_url, [*others, *cast], [managed, other])
        self._pages.gather(cast, others, site)
        self.sender.private = others
        self.sender.secrets = [SECRET, SECRET[::-1], PROVIDERS_KEY, *classmate.secrets()]
        before, began = self._rows(), utc_now()
        self.sender.send(count)
        after = fuzzed_rights.without_late(before, self._rows(), began)
        match number % len(casts):
            case 0:
                return fuzzed_rights.taken(before, after, cast)
            case 1:
                return fuzzed_rights.beyond_group(before, after, manager, managed)
            case kind:
                return fuzzed_rights.overstepped(before, after, cast, owns=kind == 3)

    def _come(self, role: str, group: str) -> Person:
        return fuzzed_people.come(self._server.base_url, role, group)

    def _rows(self) -> fuzzed_rights.Rows:
        """Once all answers have ended, and the log has what was granted."""
        self._upstream.journal.wait_until_idle()
        wait_until(lambda: fuzzed_rights.kept(self.sender.logged) <= fuzzed_rights.logged())
        wait_until(lambda: not [row for key, row in fuzzed_rights.rows().items() if row.get("status") == "running"])
        return fuzzed_rights.rows()


@pytest.mark.security("fields-that-crash", "every-route-by-owner", "own-role")
def test_nothing_that_anybody_sends_is_a_fault_of_ours_or_takes_what_is_not_theirs(
    tmp_path: Path, server: Served, upstream: ScriptedUpstream, beside: Flask
) -> None:
    rounds, workers, taken = Rounds(server, upstream, beside), server.workers(), list[str]()
    for number, start in enumerate(range(0, REQUESTS, ROUND)):
        taken += rounds.play(number, min(ROUND, REQUESTS - start))
    sender = rounds.sender
    log = (tmp_path / "log").read_text(encoding="utf-8", errors="replace")
    assert not sender.wrong, f"{len(sender.wrong)} of {REQUESTS}: " + "\n".join(sender.wrong[:5])
    assert not taken, f"{len(taken)}: " + "\n".join(taken[:5])
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:5000]
    assert server.workers() == workers, "no worker has died"
    server.assert_sound_ledger()
    for role in RANKS:
        for kind in (2, 4):
            assert any(role == who and status // 100 == kind for who, _, status in sender.seen), (role, kind)
