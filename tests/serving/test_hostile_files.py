"""Files that mean harm, at the real server, while somebody is being answered: each gets its code, and nobody waits."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.proc import pss_megabytes
from tests.support import files
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import Served, served

SOON = 2.0  # seconds between two words: more than a busy machine takes
MOST_MORE, MOST_MEANWHILE = 24, 48  # megabytes of the server's: afterwards, and at most
WORDS = "one two three four five six seven eight nine ten " * 60
PAGE, PDF, ZIP = b"<!doctype html><p>words</p>", files.pdf("words"), files.document("words")
Outcome = tuple[int, str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ScriptedUpstream() as upstream:
        upstream.default = Answer(WORDS, tokens_per_second=20)
        settings = {"DEEPSEEK_API_KEY": "test-key", "DEEPSEEK_BASE_URL": upstream.base_url}
        folder = tmp_path_factory.mktemp("instance")
        with served(folder, ALLOW_INSECURE_UPSTREAMS="1", CHAT_RATE_LIMIT="1000/minute", **settings) as running:
            running.set_up()
            outcome(running, b"words")  # what reading takes is loaded
            yield running


def outcome(server: Served, content: bytes) -> Outcome:
    reply = server.send("/api/files?name=file", content)
    told = reply.json()
    return reply.status, told["error"]["code"] if "error" in told else told["kind"]


def peak(worker: int) -> int:
    """The most memory that it has had, in megabytes."""
    (line,) = [line for line in Path(f"/proc/{worker}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) >> 10


def meanwhile(server: Served, send: Callable[[], Outcome]) -> Outcome:
    """What becomes of it while an answer comes, which is not held by it, and what it takes of the server's memory."""
    words, (worker,) = iter(server.chat("?")), server.workers()
    run_id = next(words)[1]["run_id"]
    while next(words)[0] != "token":
        pass
    before, most_before, gaps = pss_megabytes(server.process.pid), peak(worker), list[float]()
    with ThreadPoolExecutor(1) as sender:
        sending = sender.submit(send)
        last = time.monotonic()
        while not sending.done():
            assert next(words)[0] == "token", "the answer is as long as that takes"
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
    assert max(gaps, default=0) < SOON
    assert pss_megabytes(server.process.pid) - before < MOST_MORE
    assert peak(worker) - most_before < MOST_MEANWHILE
    server.post(f"/api/runs/{run_id}/stop", {})
    assert list(words), "it ends"
    return sending.result()


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize(
    ("content", "becomes"),
    [
        (partial(files.pdf, *["words"] * 10_000), (422, "file_too_long")),
        (files.bomb, (422, "file_unreadable")),
        (partial(files.flat, "PNG", (30_000, 30_000), "1"), (422, "file_unreadable")),
        (b"<html>" + b"<div>" * 3_000_000, (422, "file_unreadable")),
        (b"<html>" + b"<p>words</p>" * 1_000_000, (422, "file_too_long")),
        (files.picture("JPEG") + PAGE + PDF + ZIP, (201, "picture")),
        (files.picture("GIF")[:20] + PDF, (422, "file_unreadable")),
        (PDF + ZIP, (201, "document")),
        (b"%PDF-1.7\n" + ZIP, (422, "file_unreadable")),
        (ZIP + PDF, (201, "document")),
        (PAGE + ZIP, (422, "file_kind_unknown")),
        (b"\n<!-- %PDF-1.7 -->" + PAGE, (201, "text")),
        (files.old_office("Workbook") + ZIP, (422, "file_old_office")),
    ],
    ids=[
        "ten thousand pages",
        "a bomb",
        "a picture of a few bytes",
        "a deep page",
        "a long page",
        "a picture first",
        "a picture that is cut off",
        "a PDF with a zip behind it",
        "a PDF in name",
        "a zip with a PDF behind it",
        "a page with a zip behind it",
        "a page that names a PDF",
        "an old file with a new one in it",
    ],
)
def test_a_hostile_file_holds_up_nobody(server: Served, content: files.Content, becomes: Outcome) -> None:
    made = files.made(content)
    assert meanwhile(server, lambda: outcome(server, made)) == becomes


def poured(server: Served, megabytes: int, *, says_so: bool) -> Outcome:
    """Sends so much of nothing, and hears what it may before it is done."""
    address = urlsplit(server.base_url)
    line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    line.putrequest("POST", "/api/files?name=huge.bin")
    sent = {"Content-Length": str(megabytes << 20)} if says_so else {"Transfer-Encoding": "chunked"}
    for name, value in {**server.headers, "Content-Type": "application/octet-stream", **sent}.items():
        line.putheader(name, value)
    line.endheaders()
    for _ in range(megabytes):
        line.send(bytes(1 << 20) if says_so else b"100000\r\n" + bytes(1 << 20) + b"\r\n")
    if not says_so:
        line.send(b"0\r\n\r\n")
    reply = line.getresponse()
    told = json.loads(reply.read())
    line.close()
    return reply.status, told["error"]["code"]


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize("says_so", [True, False], ids=["told of before", "in chunks"])
def test_a_hundred_megabytes_are_not_taken(server: Served, *, says_so: bool) -> None:
    assert meanwhile(server, lambda: poured(server, 100, says_so=says_so)) == (413, "file_too_large")
    assert outcome(server, b"words") == (201, "text")
