"""Asking the scripted provider without our own client: what its own tests look at."""

import json
from typing import Any

import urllib3
from urllib3.response import BaseHTTPResponse

from flask_app.domain.sse import Decoder
from tests.support.scripted_upstream import ScriptedUpstream


class Caller:
    """Asks the provider as our client would."""

    def __init__(self, upstream: ScriptedUpstream, client: urllib3.PoolManager) -> None:
        self.upstream = upstream
        self.client = client

    def open(self, *, key: str = "sk-a", path: str = "/chat/completions", **body: object) -> BaseHTTPResponse:
        asked = {
            "model": "deepseek-flash",
            "messages": [{"role": "user", "content": "say hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        } | body
        return self.client.request(
            "POST",
            self.upstream.base_url + path,
            json=asked,
            headers={"Authorization": f"Bearer {key}"},
            preload_content=False,
            decode_content=False,
            redirect=False,
            timeout=30,
        )

    def ask(self, *, key: str = "sk-a", path: str = "/chat/completions", **body: object) -> list[Any]:
        """The events of a whole stream, decoded; `[DONE]` as a string."""
        decoder = Decoder()
        response = self.open(key=key, path=path, **body)
        payloads = [payload for part in response.stream(4096) for payload in decoder.feed(part)]
        payloads += decoder.close()
        return ["[DONE]" if p == b"[DONE]" else json.loads(p) for p in payloads]

    def get(self, path: str, key: str = "sk-a") -> BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {key}"}
        return self.client.request("GET", self.upstream.base_url + path, headers=headers)


def text_of(events: list[Any], field: str = "content") -> str:
    deltas = [e["choices"][0]["delta"] for e in events if isinstance(e, dict) and e.get("choices")]
    return "".join(delta.get(field) or "" for delta in deltas)


def told_usages(events: list[Any]) -> list[dict[str, Any]]:
    return [e["usage"] for e in events if isinstance(e, dict) and e.get("usage")]
