"""Many answers that end in the same moments, as their settlements share COMMITs."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import Served, served

MANY = 40
SPENT = Usage(prompt=11, cached=3, completion=20, reasoning=0)
BOOKED = """SELECT count(*), count(DISTINCT attempt_id), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens)
FROM token_usage WHERE source = 'reported' AND outcome = 'complete'"""


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.script(Answer("word " * 20, usage=SPENT, tokens_per_second=40), always=True)
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "CHAT_RATE_LIMIT": "1000 per minute",
        "MAX_RUNS_PER_USER": str(MANY),
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        yield running


def test_answers_that_end_together_are_each_booked_as_the_provider_counted(server: Served, tmp_path: Path) -> None:
    def ask(number: int) -> list[str]:
        return [name for name, _ in server.chat(f"question {number}")]

    with ThreadPoolExecutor(MANY) as people:
        heard = list(people.map(ask, range(MANY)))
    assert all(names[0] == "start" and names[-2:] == ["usage", "done"] for names in heard)
    with closing(sqlite3.connect(tmp_path / "mingchat.db")) as connection:
        [found] = connection.execute(BOOKED).fetchall()
    assert found == (MANY, MANY, *(MANY * count for count in (SPENT.prompt, SPENT.cached, SPENT.completion)))
