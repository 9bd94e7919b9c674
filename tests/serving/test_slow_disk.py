"""A disk that takes its time over each COMMIT, under the real server on SQLite: who does not write does not wait."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import slow_disk
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import Served, Visitor, served

COMMIT_SECONDS = 2.5
WRITES = 4
SOON = 2.0  # less than a COMMIT, and more than a busy machine takes
WORDS = "one two three four five six seven eight nine ten " * 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "sitecustomize.py").write_text(slow_disk.taking(COMMIT_SECONDS))
    with ScriptedUpstream() as upstream:
        upstream.default = Answer(WORDS, tokens_per_second=20)
        settings = {"DEEPSEEK_API_KEY": "test-key", "DEEPSEEK_BASE_URL": upstream.base_url}
        with served(tmp_path, ALLOW_INSECURE_UPSTREAMS="1", PYTHONPATH=str(tmp_path), **settings) as running:
            running.set_up()
            yield running


def test_words_and_pages_do_not_wait_for_the_disk(server: Served, tmp_path: Path) -> None:
    stranger, gaps = Visitor(server.base_url), list[float]()
    assert stranger.get("/login").status == 200  # its template is read now
    words = iter(server.chat("?"))
    while next(words)[0] != "token":
        pass
    (tmp_path / "slow").touch()
    with ThreadPoolExecutor(WRITES) as people:
        writes = [people.submit(_write, server, number) for number in range(WRITES)]
        began = last = time.monotonic()
        while time.monotonic() - began < WRITES * COMMIT_SECONDS / 2:
            assert next(words)[0] == "token"
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
            assert stranger.get("/login").status == 200
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
        assert not all(write.done() for write in writes), "all this while the disk was waited for"
        assert [write.result() for write in writes] == [200] * WRITES
    assert time.monotonic() - began > WRITES * COMMIT_SECONDS, "one after the other"
    assert max(gaps) < SOON
    (tmp_path / "slow").unlink()
    assert list(words)[-1][0] == "done"


def _write(server: Served, number: int) -> int:
    return server.ask("PATCH", "/api/me", {"theme": ("dark", "light")[number % 2]}).status
