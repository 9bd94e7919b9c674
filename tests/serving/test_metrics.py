"""Several workers of the real server: `/metrics` tells of all of them, whichever answers, and counts nothing twice."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import mariadb, storage
from tests.support.brokers import wait_until
from tests.support.redis_server import RedisServer
from tests.support.served import Served, Visitor, served

TOKEN = "p7Qx2mVd9KtR4nYw8LbZ6sHc3JfG5aEu"
ASKED = 40


@pytest.fixture
def server(redis: RedisServer, tmp_path: Path) -> Iterator[Served]:
    with mariadb.server() as url:
        storage.migrate(url)
        settings = {"DATABASE_URL": url, "REDIS_URL": redis.url, "WEB_CONCURRENCY": "2", "METRICS_TOKEN": TOKEN}
        with served(tmp_path, **settings) as running:
            yield running


def told(server: Served, series: str) -> float:
    reply = Visitor(server.base_url, {"Authorization": f"Bearer {TOKEN}"}).get("/metrics")
    assert reply.status == 200
    lines = dict(line.rsplit(" ", 1) for line in reply.data.decode().splitlines() if not line.startswith("#"))
    return float(lines.get(f"mingchat_{series}", 0))


def alive(server: Served) -> float:
    return told(server, 'http_requests_total{method="GET",route="/healthz",status="200"}')


def files(server: Served) -> list[str]:
    (folder,) = Path("/dev/shm").glob(f"mingchat-metrics-{server.process.pid}-*")
    return sorted(file.name for file in folder.iterdir())


def test_whichever_worker_answers_tells_of_all_and_a_new_one_goes_on(server: Served) -> None:
    for _ in range(ASKED):
        assert server.get("/healthz").status == 200
    assert {alive(server) for _ in range(12)} == {ASKED}
    assert told(server, "process_resident_memory_bytes") > 2 * (40 << 20), "of more than one process"
    for _ in range(3):
        before = server.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda before=before: len(set(server.workers()) - set(before)) == 1)  # type: ignore[misc]
    wait_until(lambda: server.get("/readyz").status == 200)
    assert {alive(server) for _ in range(12)} == {ASKED}
    assert {name.rpartition("_")[2] for name in files(server)} == {"0.db", "1.db"}


def test_the_files_go_with_the_server(server: Served) -> None:
    assert alive(server) == 0
    assert files(server)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    assert list(Path("/dev/shm").glob(f"mingchat-metrics-{server.process.pid}-*")) == []
