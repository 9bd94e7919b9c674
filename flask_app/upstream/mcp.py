"""A client of MCP (Model Context Protocol) servers: which tools one has, and the call of one.

Spoken over Streamable HTTP, in the protocol of 2026-07-28, in which each request stands for itself, and in those of
2024-11-05 to 2025-11-25, which begin with `initialize` and may have a session. Which one a server speaks it is asked
first (`server/discover`), as the specification's rules for older servers say. Nothing is offered to the server: it can
ask nobody anything, and sees no files.
"""

import base64
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from flask_app.config import VERSION
from flask_app.domain import server_tools
from flask_app.domain.redaction import presentable
from flask_app.domain.server_tools import FoundTool
from flask_app.errors import UpstreamError
from flask_app.upstream.client import Endpoint
from flask_app.upstream.mcp_line import Line, Refused

MODERN = "2026-07-28"
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")  # the first is asked for
LIST_SECONDS, CALL_SECONDS = 20.0, 60.0
MOST_PAGES, MOST_ANSWERED = 20, 8
MOST_PARTS = 500_000  # of a reply: each of the smallest takes thirty times the room that it has in JSON
END_SECONDS = 5.0  # for telling that a call was given up, and that a session ends
_WRONG_VERSION = -32022
_ENVELOPE = "io.modelcontextprotocol/"
_CLIENT = {"name": "MingChat", "version": VERSION}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools of a server, as many as are taken; `left_out` counts those that cannot be offered."""

    protocol: str
    tools: tuple[FoundTool, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call; a tool that fails says so in its own words."""

    text: str
    is_error: bool
    protocol: str


class _Message(msgspec.Struct):
    id: object = None
    method: str | None = None
    result: dict[str, Any] | None = None
    error: Any = None


class _Failed(UpstreamError):
    """The server's own error, in the words of JSON-RPC."""

    def __init__(self, error: object, secret: str) -> None:
        said = error if isinstance(error, dict) else {}
        number, message = said.get("code"), said.get("message")
        self.number = number if isinstance(number, int) else None
        detail = presentable(message, secret) if isinstance(message, str) else ""
        super().__init__("mcp_error", detail=detail or None)


class ServerCall:
    """One conversation with a server, made once by `tools` or `call`. `shutdown` ends it from another thread.

    `protocol` is what the server spoke the last time, where that is known.
    """

    def __init__(self, endpoint: Endpoint, seconds: float, protocol: str | None = None) -> None:
        self._line = Line(endpoint, seconds)
        self._protocol = protocol
        self._session: str | None = None
        self._number = 0

    def shutdown(self) -> None:
        self._line.shutdown()

    def tools(self) -> Listing:
        """Raises UpstreamError."""
        with self._line:
            self._negotiate()
            try:
                return self._listing()
            finally:
                self._leave()

    def call(self, name: str, arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> Called:
        """Raises UpstreamError where the call came to nothing. `parameters` is the tool's schema."""
        with self._line:
            if self._protocol != MODERN:
                self._negotiate()
            try:
                return self._called(name, arguments, parameters)
            except (_Failed, Refused) as error:
                if not self._is_wrong_version(error):  # anything else may have been done already
                    raise
                self._negotiate()
                return self._called(name, arguments, parameters)
            finally:
                if self._line.is_shut and self._session is not None:
                    threading.Thread(target=self._give_up, name="tool-given-up", daemon=True).start()
                self._leave()

    def _listing(self) -> Listing:
        found: dict[str, FoundTool] = {}
        left_out = 0
        cursor: object = None
        for _ in range(MOST_PAGES):
            page = self._request("tools/list", {"cursor": cursor} if cursor else {})
            said = page.get("tools")
            if not isinstance(said, list):
                raise UpstreamError("mcp_garbage")
            for each in said:
                tool = server_tools.read_tool(each)
                if tool is None or tool.name in found or len(found) >= server_tools.MOST_TOOLS:
                    left_out += 1
                else:
                    found[tool.name] = tool
            before, cursor = cursor, page.get("nextCursor")
            if not isinstance(cursor, str) or not cursor or cursor == before:
                break
        return Listing(self._protocol or MODERN, tuple(found.values()), left_out)

    def _called(self, name: str, arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> Called:
        headers = {"Mcp-Name": _header(name)} if self._protocol == MODERN else {}
        if self._protocol == MODERN:
            mirrored = server_tools.mirrored(parameters, arguments)
            headers |= {f"Mcp-Param-{token}": _header(value) for token, value in mirrored}
        result = self._request("tools/call", {"name": name, "arguments": dict(arguments)}, headers)
        if result.get("resultType") == "input_required":
            raise UpstreamError("mcp_asks_more")
        text = server_tools.told(result.get("content"), result.get("structuredContent"))
        return Called(text, result.get("isError") is True, self._protocol or MODERN)

    def _negotiate(self) -> None:
        """Find out what the server speaks, the likelier first; raises UpstreamError."""
        ways = [self._discover, self._shake_hands]
        if self._protocol in WITH_HANDSHAKE:
            ways.reverse()
        try:
            ways[0]()
        except (_Failed, Refused) as error:
            if error.upstream_status in {401, 403, 429} or error.code == "mcp_redirects":
                raise
            ways[1]()

    def _discover(self) -> None:
        self._protocol, self._session = MODERN, None
        versions = self._request("server/discover", {}).get("supportedVersions")
        if not isinstance(versions, list) or MODERN not in versions:
            raise _Failed({"code": _WRONG_VERSION}, "")

    def _shake_hands(self) -> None:
        self._protocol = self._session = None
        offered = {"protocolVersion": WITH_HANDSHAKE[0], "capabilities": {}, "clientInfo": _CLIENT}
        version = self._request("initialize", offered).get("protocolVersion")
        if version not in WITH_HANDSHAKE:
            raise UpstreamError("mcp_version", detail=server_tools.line(version, 40) or None)
        self._protocol = version
        self._send({"method": "notifications/initialized"})

    def _request(self, method: str, params: dict[str, Any], more: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The result of a request; raises UpstreamError, _Failed and Refused among them."""
        self._number += 1
        params = {**params, "_meta": self._about(method)}
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        headers = {**self._headers(method), **(more or {})}
        with self._line.sent("POST", headers, msgspec.json.encode(message)) as connection:
            if method == "initialize":
                self._session = _session(connection.response.headers.get("mcp-session-id"))
            try:
                return self._result(self._line.documents(connection))
            except Refused as error:
                if (failed := self._failed(error)) is None:
                    raise
                raise failed from error

    def _result(self, documents: Iterator[bytes]) -> dict[str, Any]:
        """Of the request that was sent last, past what else the server says meanwhile."""
        answered = 0
        for document in documents:
            if not document:
                continue  # an event that only says where the stream is
            message = _read(document)
            if message.method is not None:
                if isinstance(message.id, str | int) and answered < MOST_ANSWERED:
                    answered += 1
                    self._answer(message)
            elif message.error is not None:
                raise _Failed(message.error, self._line.endpoint.secret)
            elif message.result is not None and message.id == self._number:
                return message.result
        raise UpstreamError("mcp_cut")

    def _answer(self, asked: _Message) -> None:
        """What a server asks on its way: whether we are there. Anything else was not offered to it."""
        refused = {"code": -32601, "message": "Method not found"}
        self._send({"id": asked.id, **({"result": {}} if asked.method == "ping" else {"error": refused})})

    def _send(self, message: dict[str, Any]) -> None:
        """What gets no reply."""
        body = msgspec.json.encode({"jsonrpc": "2.0", **message})
        with self._line.sent("POST", self._headers(None), body) as connection:
            if not 200 <= connection.response.status < 300:
                list(self._line.documents(connection))

    def _leave(self) -> None:
        """End the session, where there is one; the server may have none to end, and is not long waited for."""
        if self._session is None or self._line.is_shut:
            return
        self._line.hurry(END_SECONDS)
        try:
            with self._line.sent("DELETE", self._headers(None)):
                pass
        except UpstreamError:
            pass

    def _give_up(self) -> None:
        """Tell a server with a session that nobody waits any more; of others the closed connection is the sign."""
        self._line = Line(self._line.endpoint, END_SECONDS)
        with self._line:
            try:
                self._send({"method": "notifications/cancelled", "params": {"requestId": self._number}})
            except UpstreamError as error:
                log.info("tool_not_cancelled", code=error.code)
            self._leave()

    def _headers(self, method: str | None) -> dict[str, str]:
        headers = {"MCP-Protocol-Version": self._protocol} if self._protocol else {}
        if self._protocol == MODERN and method:
            headers["Mcp-Method"] = method
        return headers | ({"Mcp-Session-Id": self._session} if self._session else {})

    def _about(self, method: str) -> dict[str, Any]:
        """A server that tells of its progress is no silent one to what stands between."""
        about: dict[str, Any] = {"progressToken": self._number} if method == "tools/call" else {}
        if self._protocol == MODERN:
            client = {"protocolVersion": MODERN, "clientInfo": _CLIENT, "clientCapabilities": {}}
            about |= {_ENVELOPE + key: value for key, value in client.items()}
        return about

    def _failed(self, refused: Refused) -> _Failed | None:
        """The error in JSON-RPC that came with another status than 200."""
        try:
            error = _read(refused.body).error
        except UpstreamError:
            return None
        if error is None:
            return None
        failed = _Failed(error, self._line.endpoint.secret)
        failed.upstream_status, failed.params = refused.upstream_status, refused.params
        is_elsewhere = refused.code == "mcp_no_endpoint" and failed.number is None  # an error, and none of JSON-RPC
        if refused.code == "mcp_refused" or is_elsewhere:
            failed.code = refused.code
        return failed

    def _is_wrong_version(self, error: UpstreamError) -> bool:
        """One that spoke 2026-07-28 the last time and does not any more."""
        known = self._protocol == MODERN and error.upstream_status in {400, 404, 405, 406}
        return known and not (isinstance(error, _Failed) and error.number not in {_WRONG_VERSION, -32600, -32601})


def _read(document: bytes) -> _Message:
    if sum(map(document.count, (b",", b"[", b"{"))) > MOST_PARTS:
        raise UpstreamError("mcp_too_large")
    try:
        return msgspec.json.decode(document, type=_Message)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError("mcp_garbage") from error


def _session(told: str | None) -> str | None:
    """Visible ASCII, as the specification has it: a header of ours is made of it."""
    if told is None:
        return None
    if not told or len(told) > 1000 or not all("!" <= letter <= "~" for letter in told):
        raise UpstreamError("mcp_garbage")
    return told


def _header(value: str) -> str:
    """A header cannot carry every text: what it cannot is in Base64, marked as such."""
    is_plain = value.isascii() and value.isprintable() and value == value.strip() and not value.startswith("=?base64?")
    return value if is_plain else f"=?base64?{base64.b64encode(value.encode()).decode()}?="
