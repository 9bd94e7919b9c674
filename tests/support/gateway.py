"""A program that asks the gateway in-process, and a token to ask with."""

import json
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Made, Wanted
from tests.support.clients import USUAL_DEVICE

HELLO = [{"role": "user", "content": "hello"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def made(user: User, name: str = "editor", **wanted: Any) -> Made:
    """A new token of the person, whose session ends with it."""
    with transaction() as session:
        opened = auth_service.open_session(session, user, Browser(address="127.0.0.1", device=USUAL_DEVICE))
    token = token_service.make(Actor(user, "127.0.0.1"), digest(opened.token), Wanted(name=name, **wanted))
    auth_service.sign_out(digest(opened.token))
    return token


class Program:
    """Asks with `secret`, and keeps no cookies."""

    def __init__(self, app: Flask, secret: str) -> None:
        self._client = app.test_client(use_cookies=False)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def complete(self, *, buffered: bool = True, **fields: Any) -> TestResponse:
        body = {"model": "deepseek-flash", "messages": HELLO} | fields
        return self._client.post("/v1/chat/completions", json=body, headers=self.headers, buffered=buffered)

    def message(self, *, buffered: bool = True, **fields: Any) -> TestResponse:
        """As Anthropic's clients ask."""
        body = {"model": "deepseek-flash", "max_tokens": 1000, "messages": HELLO} | fields
        return self.post("/v1/messages", body, buffered=buffered)

    def respond(self, *, buffered: bool = True, **fields: Any) -> TestResponse:
        """As clients of OpenAI's Responses API ask."""
        body = {"model": "deepseek-flash", "input": "hello"} | fields
        return self.post("/v1/responses", body, buffered=buffered)

    def go_on(self, *, buffered: bool = True, **fields: Any) -> TestResponse:
        """As editors ask for the rest of a text."""
        return self.post(
            "/v1/completions", {"model": "deepseek-flash", "prompt": "def add(a, b):"} | fields, buffered=buffered
        )

    def embed(self, given: Any = "hello", **fields: Any) -> TestResponse:
        return self.post("/v1/embeddings", {"model": "deepseek-flash", "input": given} | fields)

    def post(self, path: str, body: Any, *, buffered: bool = True) -> TestResponse:
        return self._client.post(path, json=body, headers=self.headers, buffered=buffered)

    def send(self, path: str, raw: bytes) -> TestResponse:
        """What need not be JSON."""
        kind = "application/json"
        return self._client.post(path, data=raw, content_type=kind, headers=self.headers, buffered=True)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._client.get(path, headers=self.headers | headers, buffered=True)


def chunks(response: TestResponse) -> list[dict[str, Any]]:
    """The chunks of a stream that ended well, without its last word."""
    found = payloads(response)
    assert found.pop() == "[DONE]"
    return [json.loads(each) for each in found]


def message_events(response: TestResponse) -> list[dict[str, Any]]:
    """The events of a message's or a response's stream; each is named by its type.

    Without what breaks silences: it is sent to all streams of a process every ten seconds, whatever they say just then.
    """
    found = []
    for block in response.get_data(as_text=True).split("\n\n")[:-1]:
        if not block.startswith((":", "event: ping\n")):
            name, told = block.split("\n")
            found.append(json.loads(told.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
    return found


def payloads(response: TestResponse) -> list[str]:
    lines = response.get_data(as_text=True).split("\n\n")
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
