"""A worker that is killed while its answer waits for the database: the next one settles it from the journal."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.support import mariadb, storage
from tests.support.brokers import wait_until
from tests.support.mariadb import MariaDB
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import Served, served

WORDS = " ".join(f"word{number}" for number in range(200))  # more than a database takes to be killed
USED = Usage(prompt=1000, cached=600, completion=500)


@dataclass
class Site:
    served: Served
    database: MariaDB
    upstream: ScriptedUpstream
    journal: Path

    def files(self) -> list[Path]:
        return list(self.journal.glob("*.json"))

    def row(self, query: str) -> Any:
        engine = create_engine(self.database.url)
        with engine.connect() as connection:
            found = connection.execute(text(query)).one()
        engine.dispose()
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with mariadb.running() as database, ScriptedUpstream() as upstream:
        storage.migrate(database.url)
        settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1"}
        with served(tmp_path, DEEPSEEK_API_KEY="test-key", DATABASE_URL=database.url, **settings) as running:
            running.set_up()
            yield Site(running, database, upstream, tmp_path / "journal")
            running.assert_sound_ledger()


def test_what_a_killed_worker_could_not_book_is_booked_exactly_once(site: Site) -> None:
    site.upstream.script(Answer(WORDS, tokens_per_second=40, usage=USED))
    events = iter(site.served.chat("Go."))
    assert next(events)[0] == "start"
    while next(events)[0] != "token":
        pass
    site.database.kill()
    assert any(event.get("code") == "not_saved_yet" for _, event in events)
    assert len(site.files()) == 1
    killed = site.served.workers()
    os.kill(killed[0], signal.SIGKILL)
    wait_until(lambda: site.served.workers() not in ([], killed), 60)
    time.sleep(1)
    assert len(site.files()) == 1, "without a database there is nothing to settle it with"
    site.database.start()
    wait_until(lambda: not site.files(), 60)
    entry = site.row("SELECT count(*) AS entries, min(source) AS source, sum(prompt_tokens) AS prompt FROM token_usage")
    assert (entry.entries, entry.source, entry.prompt) == (1, "reported", 1000)
    answer = site.row("SELECT text, status FROM messages WHERE role = 'assistant'")
    assert (answer.status, answer.text) == ("complete", WORDS)
    assert site.row("SELECT status FROM runs").status == "complete"
    assert len(site.upstream.journal.chats) == 1
