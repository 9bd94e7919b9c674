"""Contents of files in S3-compatible storage under the real server: nobody waits for it who does not need it."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine, text

from tests.support.brokers import wait_until
from tests.support.object_server import ObjectServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import Served, served

SOON = 5.0
LONG = b"words of a text\n" * 80_000
MANY = 8  # more than there are threads for it


@pytest.fixture
def settings(objects: ObjectServer, upstream: ScriptedUpstream) -> dict[str, str]:
    upstream.default = Answer("here it is")
    place = objects.place()
    return {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "CHAT_RATE_LIMIT": "1000 per minute",
        "FILES_URL": f"{place.shown}?endpoint={place.endpoint}",
        "FILES_ACCESS_KEY": place.access_key,
        "FILES_SECRET_KEY": place.secret_key,
    }


@pytest.fixture
def stored(tmp_path: Path, settings: dict[str, str]) -> Iterator[Served]:
    with served(tmp_path, **settings) as running:
        running.set_up()
        yield running


def kept(server: Served, content: bytes = LONG) -> str:
    reply = server.send("/api/files?name=a.txt", content)
    assert reply.status == 201, reply.data
    return str(reply.json()["id"])


def test_it_is_read_and_while_the_store_says_nothing_others_are_answered(stored: Served, objects: ObjectServer) -> None:
    file_id = kept(stored)
    assert stored.get(f"/api/files/{file_id}").data == LONG
    objects.halt()
    with ThreadPoolExecutor(MANY) as people:
        waiting = [people.submit(stored.get, f"/api/files/{file_id}") for _ in range(MANY)]
        time.sleep(0.5)
        began = time.monotonic()
        assert [name for name, _ in stored.chat("?")][-1] == "done"
        assert stored.get("/api/conversations").status == 200
        assert stored.send("/api/files?name=a.txt", LONG).status == 201, "the same is there"
        assert time.monotonic() - began < SOON
        replies = [each.result() for each in waiting]
    assert {each.status for each in replies} == {503}
    assert {each.json()["error"]["code"] for each in replies} == {"files_unavailable"}
    objects.resume()
    assert stored.get(f"/api/files/{file_id}").data == LONG


def test_who_reads_slowly_holds_nothing_back(stored: Served) -> None:
    file_id = kept(stored)
    site = urlsplit(stored.base_url)
    slow = [http.client.HTTPConnection(str(site.hostname), site.port, timeout=60) for _ in range(MANY)]
    for each in slow:
        each.request("GET", f"/api/files/{file_id}", headers=stored.headers)
    assert stored.get(f"/api/files/{file_id}").data == LONG
    for each in slow:
        assert each.getresponse().read() == LONG
        each.close()


def test_a_server_that_is_killed_in_mid_upload_leaves_a_row_that_says_so(
    tmp_path: Path, settings: dict[str, str], objects: ObjectServer
) -> None:
    database = create_engine(f"sqlite:///{tmp_path / 'mingchat.db'}")

    def row() -> tuple[str, str] | None:
        with database.connect() as connection:
            found = connection.execute(text("SELECT digest = id, object_key FROM files")).one_or_none()
        return tuple(found) if found else None

    with served(tmp_path, **settings) as running, ThreadPoolExecutor(1) as sender:
        running.set_up()
        objects.halt()
        upload = sender.submit(running.send, "/api/files?name=a.txt", LONG)
        wait_until(lambda: row() is not None)
        running.signal(9)
        assert upload.exception()
        running.process.wait(20)
    objects.resume()
    is_unfinished, object_key = row() or (0, "")
    assert (is_unfinished, bool(object_key)) == (1, True)
    assert {f"files/{object_key}"} >= set(objects.held())
    with served(tmp_path, **settings) as again:
        again.headers = running.headers
        file_id = kept(again)
        assert again.get(f"/api/files/{file_id}").data == LONG
        with database.begin() as connection:
            connection.execute(text("UPDATE files SET created_at = '2026-01-01' WHERE digest = id"))
    database.dispose()
