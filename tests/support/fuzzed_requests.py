"""Requests of programs that make no sense: bodies and headers that somebody has torn, mixed up and put together again.

They begin as what is asked well, on every path of the gateway, so that what is wrong with them lies deep. The same seed
makes the same requests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.support.torn import MODEL, PICTURE, RAW, Tearing

_TOOL = {"type": "function", "function": {"name": "look", "description": "x", "parameters": {"type": "object"}}}
_CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
_SHOWN = {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}}
_SOURCE = {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}
_CHAT: dict[str, Any] = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "x"}, _SHOWN]},
        {"role": "assistant", "content": None, "tool_calls": [_CALL], "reasoning_content": "hm"},
        {"role": "tool", "content": "x", "tool_call_id": "c"},
    ],
    "max_tokens": 9,
    "tools": [_TOOL],
    "tool_choice": "auto",
    "response_format": {"type": "text"},
    "stream_options": {"include_usage": True},
    "stop": ["x"],
    "seed": 1,
    "n": 1,
}
_MESSAGE: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 9,
    "system": [{"type": "text", "text": "x"}],
    "messages": [
        {"role": "user", "content": [{"type": "image", "source": _SOURCE}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "look", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "x", "is_error": False}]},
    ],
    "tools": [{"name": "look", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "disabled"},
}
_COUNT = {name: _MESSAGE[name] for name in ("model", "system", "messages", "tools", "tool_choice")}
_RESPONSE: dict[str, Any] = {
    "model": MODEL,
    "instructions": "x",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ],
    "max_output_tokens": 9,
    "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}],
    "text": {"format": {"type": "text"}},
    "reasoning": {"effort": "low"},
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": _CHAT,
    "/v1/completions": {"model": MODEL, "prompt": "x", "suffix": "y", "max_tokens": 9, "stop": ["x"]},
    "/v1/embeddings": {"model": MODEL, "input": ["x", "y"], "encoding_format": "float"},
    "/v1/responses": _RESPONSE,
    "/v1/messages": _MESSAGE,
    "/v1/messages/count_tokens": _COUNT,
}
READ = ("/v1/models", f"/v1/models/{MODEL}", "/v1/models/a%2Fb%00", "/v1/models/%F0%9F%98%80?x=%27")
NOWHERE = ("/v1/files", "/v1/", "/v1/chat/completions/", "/v1/messages/batches", "/v1/%2e%2e/api/me", "/v1//models")
METHODS = ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "GET")
_BEARERS = (
    *(
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk-",
        "Basic eDp5",
        "Bearer ' OR '1'='1",
        "Bearer sk-" + "0" * 48,
        "bearer null",
    ),
    *(
        "Bearer sk-%00",
        "Bearer " + "x" * 7000,
        "Bearer é",
        "Bearer {{7*7}}",
        "Bearer sk-..",
        "Digest a=b",
        "Bearer a b c",
    ),
)
_KINDS = (
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "\t",
)
_KEYS = ("", "x", "x" * 255, "x" * 256, "a b", "é", "' --")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """`opens`: it came with a token that opens the gateway, in one of the headers for it."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    opens: bool = True

    @property
    def speaks_messages(self) -> bool:
        is_list = self.path.startswith("/v1/models") and "anthropic-version" in self.headers
        return self.path.startswith("/v1/messages") or is_list


class FuzzedRequests:
    """As many as are asked for, drawn by the seed, in the name of `secret`."""

    def __init__(self, secret: str, seed: int) -> None:
        self._secret, self._random = secret, Random(seed)
        self._tearing = Tearing(self._random)

    def next(self) -> Fuzzed:
        draw = self._random.random()
        headers, opens = self._headers(has_odd_token=self._random.random() < 0.2)
        if draw > 0.95:
            method = self._random.choice(METHODS)
            return Fuzzed(method, self._random.choice([*READ, *NOWHERE, *BODIES]), None, headers, opens)
        if draw > 0.9:
            return Fuzzed("GET", self._random.choice(READ), None, headers, opens)
        path = self._random.choice(list(BODIES))
        return Fuzzed("POST", path, self._body(BODIES[path]), headers, opens)

    def _headers(self, *, has_odd_token: bool) -> tuple[dict[str, str], bool]:
        pick = self._random
        headers, opens = {"Content-Type": "application/json", "Authorization": f"Bearer {self._secret}"}, True
        if has_odd_token:
            bearer, opens = self._odd_token()
            headers |= bearer
        if pick.random() < 0.05:
            headers["Content-Type"] = pick.choice(_KINDS)
        if pick.random() < 0.05:
            headers["Idempotency-Key"] = pick.choice(_KEYS)
        if pick.random() < 0.1:
            headers |= {
                "anthropic-version": pick.choice(_KEYS),
                "Origin": pick.choice(_KEYS),
                "X-Forwarded-For": "x, y",
            }
        return headers, opens

    def _odd_token(self) -> tuple[dict[str, str], bool]:
        secret, pick = self._secret, self._random
        torn = self._tearing.torn(secret.encode()).decode("latin-1")
        odd = pick.choice([*_BEARERS, f"Bearer {torn}", f"Bearer {secret[:-1]}", f"Bearer {secret.upper()}"])
        headers = {"Authorization": "".join(sign for sign in odd if sign.isprintable())}
        if pick.random() < 0.3:
            return headers | {"X-Api-Key": secret}, True
        if pick.random() < 0.3:
            headers["X-Api-Key"] = pick.choice(_KEYS)
        return headers, headers["Authorization"].lower() == f"bearer {secret}"

    def _body(self, whole: dict[str, Any]) -> bytes:
        pick = self._random
        draw = pick.random()
        if draw < 0.1:
            return pick.choice(RAW)
        body = json.loads(json.dumps(whole))
        if pick.random() < 0.2 and whole not in (BODIES["/v1/embeddings"], _COUNT):
            body["stream"] = True
        for _ in range(pick.choice((0, 1, 1, 1, 2, 3, 6))):
            self._tearing.spoil(body)
        written = json.dumps(body, ensure_ascii=pick.random() < 0.5).encode("utf-8", "surrogatepass")
        return self._tearing.torn(written) if draw < 0.35 else written
