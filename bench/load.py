"""The load client, a process of its own: `python -m bench.load` reads a Plan on its standard input.

Writes the words `steady` and `measured` at the edges of the measured time (of a burst `steady` only,
in the middle of the answers), then a Report as JSON.
"""

import asyncio
import contextlib
import gc
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from typing import cast

import msgspec
import uvloop

from bench import answers
from bench.plan import Plan, Report
from bench.wire import END, Broken, answer_text

PATHS = {"provider": "/chat/completions", "chat": "/api/chat", "gateway": "/v1/chat/completions"}
RETRY_SECONDS = 0.2
REST_SECONDS = 1.0  # of a patient reader, which an answer's last moments find awake
GRACE_SECONDS = 20.0  # for answers that are late


@dataclass(slots=True)
class Asked:
    """One answer on its way: the request, the raw response, and the times."""

    answer_id: str
    raw: list[bytes] = field(default_factory=list)
    started_ns: int = 0
    first_ns: int = 0


class Connection(asyncio.Protocol):
    """Carries one answer after another; notes when the first token of each is there.

    It may rest for so many `seconds` of an answer; what comes meanwhile lies in the socket.
    """

    def __init__(self, seconds: float) -> None:
        self.is_open = True
        self._seconds = seconds
        self._asked: Asked | None = None
        self._whole: asyncio.Future[None]
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._asked and not self._whole.done():
            self._whole.set_exception(Broken(f"connection lost: {exc}"))

    async def ask(self, request: bytes, asked: Asked) -> None:
        """Send `request` and wait for the whole response. Raises Broken."""
        self._asked, self._mark = asked, answers.first_mark(asked.answer_id)
        self._whole = asyncio.get_running_loop().create_future()
        asked.started_ns = time.monotonic_ns()
        self._transport.write(request)
        await self._whole

    def data_received(self, data: bytes) -> None:
        asked = self._asked
        if asked is None or self._whole.done():
            return
        asked.raw.append(data)
        if not asked.first_ns:
            self._look_for_first_token(asked)
        self._tail = (self._tail + data)[-len(END) :]
        if self._tail == END:
            self._whole.set_result(None)
        elif asked.first_ns:
            self._rest(asked)

    def _rest(self, asked: Asked) -> None:
        if (time.monotonic_ns() - asked.started_ns) / 1e9 + REST_SECONDS < self._seconds:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST_SECONDS, self._transport.resume_reading)

    def close(self) -> None:
        self._transport.close()

    def _look_for_first_token(self, asked: Asked) -> None:
        so_far = b"".join(asked.raw)
        if self._mark in so_far:
            asked.first_ns = time.monotonic_ns()
        elif not b"HTTP/1.1 200".startswith(so_far[:12]):
            self._whole.set_result(None)  # a refusal: its words are in `raw`
            self.is_open = False


class Load:
    """All the streams of a plan, the `heads` of their requests dealt out among them in turn."""

    def __init__(self, plan: Plan, heads: Sequence[bytes]) -> None:
        self.plan = plan
        self.report = Report()
        self._heads = heads
        self._numbers = itertools.count()
        self._is_measured = plan.burst
        self._is_over = False

    async def run(self) -> None:
        plan = self.plan
        delays = [0.0 if plan.burst else plan.answer_seconds * n / plan.streams for n in range(plan.streams)]
        dealt = zip(delays, itertools.cycle(self._heads), strict=False)
        running = [asyncio.create_task(self._stream(delay, head)) for delay, head in dealt]
        if plan.burst:
            self._is_over = True
            await asyncio.sleep(plan.answer_seconds / 2)
            _say("steady")
        else:
            await asyncio.sleep(plan.answer_seconds)
            await self._measure()
            self._is_over = True
        _, late = await asyncio.wait(running, timeout=plan.answer_seconds + GRACE_SECONDS)
        for stream in late:
            stream.cancel()
        if late:
            self.report.add_fault("not finished in time", len(late))
        self.report.cpu_seconds = time.process_time()

    async def _measure(self) -> None:
        self._is_measured = True
        _say("steady")
        await asyncio.sleep(self.plan.seconds)
        self._is_measured = False
        _say("measured")

    async def _stream(self, delay: float, head: bytes) -> None:
        await asyncio.sleep(delay)
        connection: Connection | None = None
        while connection is None or not self._is_over:
            try:
                connection = connection if connection and connection.is_open else await self._connect()
                await self._ask(connection, head)
            except (Broken, OSError) as fault:
                self.report.add_fault(str(fault))
                if self._is_over:
                    return
                await asyncio.sleep(RETRY_SECONDS)
        connection.close()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        made = partial(Connection, self.plan.answer_seconds if self.plan.patient else 0.0)
        return (await loop.create_connection(made, "127.0.0.1", self.plan.port))[1]

    async def _ask(self, connection: Connection, head: bytes) -> None:
        asked, is_measured = Asked(f"a{next(self._numbers)}"), self._is_measured
        await connection.ask(_request(self.plan, head, asked.answer_id), asked)
        text, events = answer_text(b"".join(asked.raw), self.plan.kind)
        if fault := answers.fault_in(text, asked.answer_id, self.plan.tokens):
            raise Broken(fault)
        self.report.answers += 1
        self.report.tokens += self.plan.tokens
        self.report.events += events
        if is_measured:
            self.report.first_token.append((asked.first_ns - asked.started_ns) / 1e6)
            self.report.first_hop.append((asked.first_ns - answers.sent_ns(text)) / 1e6)


def heads_of(plan: Plan) -> list[bytes]:
    """What requests begin with, up to the length of their bodies: of each of the plan's people, or of who signs in."""
    return [_head(plan, headers) for headers in plan.people or [_headers(plan)]]


def _head(plan: Plan, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {PATHS[plan.kind]} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n{lines}"
    return f"{head}Content-Type: application/json\r\nAccept: text/event-stream\r\nContent-Length: ".encode()


def _request(plan: Plan, head: bytes, answer_id: str) -> bytes:
    message = answers.question(answer_id, plan.tokens)
    body = msgspec.json.encode({"message": message} if plan.kind == "chat" else _provider_body(message))
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


def _provider_body(message: str) -> dict[str, object]:
    messages = [{"role": "user", "content": message}]
    return {"model": answers.MODEL, "messages": messages, "stream": True, "stream_options": {"include_usage": True}}


def _headers(plan: Plan) -> dict[str, str]:
    """What says who asks: a browser that has signed in, or a program with a key."""
    if plan.kind == "provider":
        return {"Authorization": "Bearer bench-key"}
    if not plan.username:
        return {}
    browser = _signed_in(plan)
    if plan.kind == "chat":
        return browser
    made, _ = _post(plan, "/api/tokens", {"name": "bench"}, browser)
    return {"Authorization": f"Bearer {made['secret']}"}


def _signed_in(plan: Plan) -> dict[str, str]:
    origin = {"Origin": f"http://127.0.0.1:{plan.port}"}
    account = {"username": plan.username, "password": plan.password}
    signed_in, cookie = _post(plan, "/api/login", account, origin)
    return {"Cookie": cookie, "X-CSRF-Token": str(signed_in["csrf_token"]), **origin}


def _post(plan: Plan, path: str, content: object, headers: dict[str, str]) -> tuple[dict[str, object], str]:
    """The reply, and the cookie that it sets."""
    connection = HTTPConnection("127.0.0.1", plan.port, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", path, msgspec.json.encode(content), {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        reply = response.read()
    if response.status >= 400:
        raise SystemExit(f"POST {path}: {response.status} {reply!r}")
    return msgspec.json.decode(reply, type=dict[str, object]), (response.headers["Set-Cookie"] or "").partition(";")[0]


def _say(word: str) -> None:
    print(word, flush=True)


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    load = Load(plan, heads_of(plan))
    gc.freeze()
    uvloop.run(load.run())
    _say(msgspec.json.encode(load.report).decode())


if __name__ == "__main__":
    main()
