"""A new ENCRYPTION_KEY while a server answers: it goes on with the old one, then the new one, without a restart."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving.test_backup import flask
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import served

KEY = "sk-the-only-key-of-this-site"


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


def sealed_keys(instance: Path) -> set[bytes]:
    """The fingerprints of the keys that the API keys are sealed with."""
    with closing(sqlite3.connect(instance / "mingchat.db")) as connection:
        return {bytes(row[0][1:5]) for row in connection.execute("SELECT secret FROM api_keys")}


@pytest.mark.security("rotation-goes-on")
def test_answers_go_on_while_the_key_is_changed(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    settings = {"ALLOW_INSECURE_UPSTREAMS": "1", "CHAT_RATE_LIMIT": "100000 per minute", "MAX_RUNS_PER_USER": "10"}
    upstream.keys = {KEY}
    with served(tmp_path, **settings) as server:
        server.set_up()
        new = {"label": "one", "secret": KEY, "base_url": upstream.base_url}
        assert server.post("/api/admin/keys", new).status == 201
        before, secrets = sealed_keys(tmp_path), json.loads((tmp_path / "secrets.json").read_text())
        ends: list[str] = []
        rotated = threading.Event()

        def chat() -> None:
            while not rotated.is_set():
                ends.append([name for name, _ in server.chat("go on")][-1])

        chatting = threading.Thread(target=chat)
        chatting.start()
        try:
            for _ in range(2):
                done = flask(tmp_path, "secrets", "rotate")
                assert (done.returncode, "1 secrets are sealed" in done.stdout) == (0, True), done.stderr
        finally:
            rotated.set()
            chatting.join(60)
        assert ends
        assert set(ends) == {"done"}
        after = sealed_keys(tmp_path)
        assert len(after) == 1
        assert after != before
        assert json.loads((tmp_path / "secrets.json").read_text())["ENCRYPTION_KEY"] != secrets["ENCRYPTION_KEY"]
        assert server.post("/api/admin/keys", new | {"label": "two"}).status == 201
        assert sealed_keys(tmp_path) == after, "the server seals with the new key"
        assert [name for name, _ in server.chat("and now")][-1] == "done"
        server.assert_sound_ledger()
