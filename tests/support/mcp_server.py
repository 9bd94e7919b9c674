"""A real MCP server for tests: the official SDK's own, over HTTP, and what a server can do wrong beside it.

`/mcp` speaks every protocol of the SDK; `/older` only those that begin with a handshake, by sessions; `/locked` wants
TOKEN. The tools are looked up anew in each request, so that a test can change them.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

TOKEN = "sesame-opens-the-workshop"
HUGE_BYTES = 100 << 20
PAGE = 3  # tools on a page of the list

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Context = ServerRequestContext[Any]


def tool(name: str, description: str = "", **schema: Any) -> types.Tool:
    schema = {"type": "object", "properties": {"words": {"type": "string"}}} | schema
    return types.Tool(name=name, description=description or f"Does {name}.", input_schema=schema)


def usual() -> list[types.Tool]:
    named = {"type": "object", "properties": {"words": {"type": "string", "x-mcp-header": "Words"}}}
    return [
        tool("echo", "Says the words again."),
        tool("fails"),
        tool("counts", "Tells of what it found as data."),
        tool("draws", "Draws a picture."),
        tool("works", "Works for a while, and says how far it is."),
        tool("hangs", "Never comes to an end."),
        tool("named", "Has its words in a header too.", **named),
        tool("broken", "Is none of the server's own."),
    ]


class McpServer:
    """Runs from `with` on. `asked` are the methods and headers of the requests that came."""

    def __init__(self) -> None:
        self.tools = usual()
        self.asked: list[tuple[str, str, dict[str, str]]] = []  # HTTP's method, the path, the headers by lower case
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.left: list[str] = []  # tools that were ended in the middle of a call
        self.replies: dict[str, tuple[int, object]] = {}  # by path: a status, and the JSON to any request there
        self.is_slow_to_end = False  # a session
        self.let_go = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self._app, interface="asgi3", log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._managers: dict[str, StreamableHTTPSessionManager] = {}

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    def at(self, path: str) -> str:
        return f"{self.origin}/{path}"

    def __enter__(self) -> "McpServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def forget(self) -> None:
        self.tools = usual()
        self.asked.clear()
        self.called.clear()
        self.left.clear()
        self.replies.clear()
        self.is_slow_to_end = False

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        own = Server("Workshop", on_list_tools=self._list, on_call_tool=self._call)
        async with AsyncExitStack() as stack:
            for path in ("/mcp", "/older", "/locked"):
                self._managers[path] = StreamableHTTPSessionManager(own)
                await stack.enter_async_context(self._managers[path].run())
            await self._server.serve(sockets=[self._socket])

    async def _app(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["path"], headers))
        path = scope["path"]
        if path == "/locked" and headers.get("authorization") != f"Bearer {TOKEN}":
            await _reply(send, 401, b'{"error": "who are you, %s?"}' % headers.get("authorization", "").encode())
        elif path == "/older" and headers.get("mcp-protocol-version") == "2026-07-28":
            error = {"code": -32600, "message": "Bad Request: Unsupported protocol version"}
            await _reply(send, 400, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode())
        elif path in self.replies:
            status, said = self.replies[path]
            await _reply(send, status, json.dumps(said).encode())
        elif scope["method"] == "DELETE" and self.is_slow_to_end:
            await self._keep_waiting()
        elif path in self._managers:
            await self._managers[path].handle_request(scope, receive, send)
        else:
            await self._misbehave(path, send)

    async def _misbehave(self, path: str, send: Send) -> None:
        if path == "/elsewhere":
            await _reply(send, 307, b"", (b"location", self.url.encode()))
        elif path == "/garbage":
            await _reply(send, 200, b'{"jsonrpc": "2.0", "id": 1, "result": [')
        elif path == "/page":
            await _reply(send, 200, b"<!doctype html>", (b"content-type", b"text/html"))
        elif path == "/deep":
            await _reply(send, 200, b'{"result":' + b"[" * 100_000)
        elif path == "/silent":
            await self._keep_waiting()
        elif path == "/drips":
            await self._drip(send)
        elif path in {"/huge", "/dies"}:
            await _pour(send, b"text/event-stream", path == "/huge")
        else:
            await _reply(send, 404, b"{}")

    async def _keep_waiting(self) -> None:
        while not self.let_go.is_set():
            await anyio.sleep(0.05)

    async def _drip(self, send: Send) -> None:
        """A reply of which a byte comes now and then."""
        kind = (b"content-type", b"application/json")
        await send({"type": "http.response.start", "status": 200, "headers": [kind]})
        while not self.let_go.is_set():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await anyio.sleep(0.05)

    async def _list(self, _: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        first = int(params.cursor) if params and params.cursor else 0
        rest = str(first + PAGE) if first + PAGE < len(self.tools) else None
        return types.ListToolsResult(tools=self.tools[first : first + PAGE], next_cursor=rest)

    async def _call(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        given = params.arguments or {}
        self.called.append((params.name, given))
        if params.name == "broken":
            raise RuntimeError("a secret of the server")
        if params.name == "hangs":
            await self._hang()
        if params.name == "works":
            for step in range(3):
                await context.session.report_progress(step, 3, "going on")
                await anyio.sleep(0.02)
        if params.name == "draws":
            picture = types.ImageContent(type="image", data="AAAA", mime_type="image/png")
            return types.CallToolResult(content=[_text("Here it is:"), picture])
        if params.name == "counts":
            return types.CallToolResult(content=[], structured_content={"boats": 3})
        words = f"{params.name}: {given.get('words', '')}"
        return types.CallToolResult(content=[_text(words)], is_error=params.name == "fails")

    async def _hang(self) -> None:
        try:
            while not self.let_go.is_set():
                await anyio.sleep(0.05)
        except anyio.get_cancelled_exc_class():
            self.left.append("hangs")
            raise


def _text(words: str) -> types.TextContent:
    return types.TextContent(type="text", text=words)


async def _reply(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    kinds = headers or ((b"content-type", b"application/json"),)
    await send({"type": "http.response.start", "status": status, "headers": list(kinds)})
    await send({"type": "http.response.body", "body": body})


async def _pour(send: Send, kind: bytes, is_huge: bool) -> None:
    """A stream of events without a reply: for very long, or cut before its end."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    event = b'data: {"jsonrpc": "2.0", "method": "notifications/message", "params": "%s"}\n\n'
    part = event % (b"x" * (1 << 20))
    for _ in range(HUGE_BYTES // len(part) if is_huge else 0):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": event % b"", "more_body": True})
    raise ConnectionError("the server has died")
