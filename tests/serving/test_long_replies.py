"""Long replies of embeddings at the real server: what they take of its memory, at most."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from flask_app.upstream.reply_room import ROOM
from tests.support.scripted_upstream import Embedded, ScriptedUpstream
from tests.support.served import Served, served
from tests.support.upstream_embeddings import EMBEDDINGS

INPUTS, BYTES = 60, 1 << 19  # thirty megabytes
PROGRAMS = 5
MOST_TIMES = 1.5  # each is held once, with what its bytes grew by last


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
        "CHAT_RATE_LIMIT": "1000/minute",
        "MAX_RUNS_PER_USER": "20",
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        yield running


def peak(worker: int) -> int:
    """The most memory that it has had, in bytes."""
    (line,) = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_long_replies_take_a_bounded_part_of_memory(server: Served, upstream: ScriptedUpstream) -> None:
    """More of them at once than there is room for: the others wait."""
    vectors = [{"index": number, "embedding": "A" * BYTES} for number in range(INPUTS)]
    upstream.script(Embedded(junk=json.dumps({"data": vectors}).encode()), path=EMBEDDINGS, always=True)
    secret = server.post("/api/tokens", {"name": "vectors"}).json()["secret"]
    address = f"{server.base_url}/v1/embeddings"
    told: list[tuple[int, int]] = []

    def ask(number: int) -> None:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": str(number)}
        body = {"model": "deepseek-flash", "input": ["a"] * INPUTS}
        reply = urllib3.request("POST", address, json=body, headers=headers, timeout=60, retries=False)
        told.append((reply.status, len(reply.data)))

    (worker,) = server.workers()
    before = peak(worker)
    programs = [threading.Thread(target=ask, args=(number,)) for number in range(PROGRAMS)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    assert [status for status, _ in told] == [200] * PROGRAMS
    assert min(length for _, length in told) > INPUTS * BYTES
    taken = peak(worker) - before
    assert taken < MOST_TIMES * ROOM
