"""Answers that broke off, and going on with them."""

from typing import Any

from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, Usage

HALF, REST = "one two three", " four five"
LONG = Answer(HALF, thinking="let me count", finish_reason="length", usage=Usage(prompt=10, completion=6, reasoning=3))
JSON = {"Accept": "application/json", "Accept-Language": "en"}


def ask(client: PageClient, **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": "count"} | fields, headers=JSON).json


def go_on(client: PageClient, run_id: str, **fields: Any) -> Any:
    return client.post(f"/api/runs/{run_id}/continue", json=fields, headers=JSON)
