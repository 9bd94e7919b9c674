"""More answers at once than are read whenever something comes: each is whole, and what came together goes out so."""

import http.client
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flask_app.upstream.turns import MANY
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream, Usage
from tests.support.served import Served, served

CROWD = MANY + 10
TOKENS = 60
SLOW, QUICK = "slow " * TOKENS, "quick " * TOKENS
SPENT = Usage(prompt=11, cached=3, completion=TOKENS, reasoning=0)
LINE_BYTES = 1 << 16
BOOKED = """SELECT count(DISTINCT attempt_id), sum(prompt_tokens), sum(completion_tokens) FROM token_usage
WHERE source = 'reported' AND outcome = 'complete'"""

Ask = Callable[[str], http.client.HTTPConnection]


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "CHAT_RATE_LIMIT": "1000 per minute",
        "MAX_RUNS_PER_USER": str(CROWD + 1),
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        yield running


@pytest.fixture
def ask(server: Served) -> Iterator[Ask]:
    """Asks for an answer of a model, each on a connection of its own."""
    secret = server.post("/api/tokens", {"name": "a program"}).json()["secret"]
    opened: list[http.client.HTTPConnection] = []

    def ask(model: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)
        opened.append(connection)
        content = {"model": model, "messages": [{"role": "user", "content": "Hello."}], "stream": True}
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(content), headers)
        return connection

    yield ask
    for connection in opened:
        connection.close()


def pieces_of(asked: http.client.HTTPConnection) -> Iterator[bytes]:
    """An answer as it comes, a piece for each that the server sent."""
    response = asked.getresponse()
    assert response.status == 200
    assert response.fp is not None
    while size := int(response.fp.readline(LINE_BYTES), 16):
        yield response.fp.read(size + 2)[:-2]


def text_of(pieces: Iterable[bytes]) -> str:
    told = [line[6:] for line in b"".join(pieces).split(b"\n") if line.startswith(b"data: ")]
    assert told.pop() == b"[DONE]"
    choices = [json.loads(line)["choices"] for line in told]
    return "".join(choice["delta"].get("content") or "" for [choice] in filter(None, choices))


def test_many_answers_at_once_are_each_whole_and_come_in_larger_pieces(
    upstream: ScriptedUpstream, tmp_path: Path, ask: Ask
) -> None:
    gate = Gate(TOKENS)
    upstream.script(Answer(SLOW, usage=SPENT, tokens_per_second=1, gate=gate), model="deepseek-flash", always=True)
    upstream.script(Answer(QUICK, usage=SPENT, tokens_per_second=20), model="deepseek-v4-pro")
    crowd = [pieces_of(ask("deepseek-flash")) for _ in range(CROWD)]
    begun = [next(each) for each in crowd]
    pieces = list(pieces_of(ask("deepseek-v4-pro")))
    gate.open()
    assert text_of(pieces) == QUICK
    assert len(pieces) < TOKENS * 0.8
    assert {text_of([first, *each]) for first, each in zip(begun, crowd, strict=True)} == {SLOW}
    with closing(sqlite3.connect(tmp_path / "mingchat.db")) as connection:
        [booked] = connection.execute(BOOKED).fetchall()
    assert booked == (CROWD + 1, *((CROWD + 1) * count for count in (SPENT.prompt, SPENT.completion)))
