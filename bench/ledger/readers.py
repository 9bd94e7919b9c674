"""People who sign in and look at pages, and how long each page takes."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from random import Random
from typing import Any

import msgspec

from bench import proc
from bench.ledger.pages import Page
from bench.servers import Server

PIECE = 1 << 16
IDLE_SECONDS = 2  # servers close connections that nobody has used for longer, some soon


@dataclass(slots=True)
class Timed:
    """How long a page took each time, in milliseconds, until its last byte.

    `worked` is the processor time that site and database spent on it: what there would be to wait for if nothing else
    ran on the machine. `first` is the time of a first look, before the others: what it reads may still be on the disk.
    """

    page: Page
    reader: str
    first: float = 0.0
    times: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)


class Reader:
    """A browser that is signed in: one connection, which stays open while it is used."""

    def __init__(self, server: Server, name: str, username: str, password: str) -> None:
        self.name = name
        _, headers = server.post("/api/login", {"username": username, "password": password})
        self._headers = {"Cookie": headers["Set-Cookie"].partition(";")[0], "Accept-Encoding": "gzip"}
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
        self._used = 0.0

    def time(self, path: str) -> float:
        """Milliseconds until the whole page has come."""
        began = time.perf_counter()
        self._fetch(path)
        return (time.perf_counter() - began) * 1000

    def json(self, path: str) -> dict[str, Any]:
        self._headers["Accept-Encoding"] = "identity"
        content = self._fetch(path)
        self._headers["Accept-Encoding"] = "gzip"
        return msgspec.json.decode(content, type=dict[str, Any])

    def count_lines(self, path: str) -> int:
        """Of a file that is read as it comes."""
        self._headers["Accept-Encoding"] = "identity"
        response, lines = self._ask(path), 0
        while piece := response.read1(PIECE):
            lines += piece.count(b"\n")
        return lines

    def pages_after(self, pages: list[Page], kind: str) -> list[Page]:
        """The second page of each search that has one."""
        after = []
        for page in pages:
            if following := self.json(page.path)["next"]:
                sign = "&" if "?" in page.path else "?"
                after.append(Page(kind, f"{page.path}{sign}before={following}"))
        return after

    def _fetch(self, path: str) -> bytes:
        response = self._ask(path)
        content = response.read()
        self._used = time.monotonic()
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {content[:500]!r}")
        return content

    def _ask(self, path: str) -> HTTPResponse:
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
        self._connection.request("GET", path, headers=self._headers)
        return self._connection.getresponse()


def measure(asked: list[tuple[Reader, Page]], rounds: int, seed: int, pids: tuple[int, ...]) -> list[Timed]:
    """Every page once a round, in another order each time, so that none finds only what it left in memory itself.

    `pids` are those of the processes that work on it. A database that has just been started reads from the disk: the
    first look at each page is told apart.
    """
    timed = [(reader, Timed(page, reader.name)) for reader, page in asked]
    random = Random(seed)
    for reader, each in random.sample(timed, len(timed)):
        each.first = reader.time(each.page.path)
    for _ in range(rounds):
        with _undisturbed():
            for reader, each in random.sample(timed, len(timed)):
                before = sum(map(proc.running_milliseconds, pids))
                each.times.append(reader.time(each.page.path))
                each.worked.append(sum(map(proc.running_milliseconds, pids)) - before)
    return [each for _, each in timed]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Collect this process's garbage before, not meanwhile: a page would seem to have taken longer."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
