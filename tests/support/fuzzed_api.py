"""Every route of the site, what docs/openapi.json says of it, and whether a reply is as it says."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
from flask import Flask

from tests.support import routes

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/openapi.json"
RANKS = {"nobody": 0, "member": 1, "manager": 1, "admin": 2, "owner": 3}
LEAST = {"public": 0, "login": 1, "manager": 1, "admin": 2, "owner": 3}
# Said of somebody else's server or of a disk, or of a site whose administrators have switched off all models or keys:
# the request was in order, and so is the reply.
FAULTS_ELSEWHERE = re.compile(
    r"^(upstream|provider|delivery|mail|webhook|identity|directory|balance|key)_|_(unreachable|failed)$"
    r"|^no_(model|working_key)$"
)
JSON, BYTES = "application/json", "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """A route and a method; `described` is what the document says of it, nothing of a page."""

    method: str
    rule: str
    access: str
    arguments: tuple[str, ...]
    described: dict[str, Any] | None
    least: dict[str, Any] | None  # the smallest body that it takes

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def queries(self) -> list[str]:
        return self._parameters("query")

    @property
    def headers(self) -> list[str]:
        return self._parameters("header")

    @property
    def is_of_programs(self) -> bool:
        return self.access == "token"

    @property
    def takes_body(self) -> bool:
        return "requestBody" in (self.described or {})

    @property
    def takes_bytes(self) -> bool:
        """A file's."""
        return BYTES in (self.described or {}).get("requestBody", {}).get("content", {})

    def _parameters(self, place: str) -> list[str]:
        return [each["name"] for each in (self.described or {}).get("parameters", []) if each["in"] == place]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    kind: str
    content: bytes


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


class Api:
    """All operations of the application."""

    def __init__(self, app: Flask) -> None:
        self._document = document()
        self._validators: dict[str, Any] = {}
        paths = self._document["paths"]
        self.operations = []
        for route in routes.all_of(app):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule)
            described = paths.get(path, {}).get(route.method.lower())
            arguments = tuple(sorted(route.arguments))
            self.operations.append(Operation(route.method, path, route.access, arguments, described, route.body()))
        known = {str(each) for each in self.operations}
        named = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
        assert named <= known, named - known

    def fault(self, operation: Operation, reply: Reply) -> str:
        """What of the reply is not as described; nothing where all is."""
        if reply.status >= 500 and not is_told_of_elsewhere(operation, reply):
            return "a fault of ours"
        if operation.described is None:
            return _fault_of_page(reply)
        responses = operation.described["responses"]
        response = responses.get(str(reply.status)) or (responses["default"] if reply.status >= 400 else None)
        if response is None:
            return "a status that is not described"
        return self._fault_of_content(response.get("content"), reply)

    def _fault_of_content(self, content: dict[str, Any] | None, reply: Reply) -> str:
        if content is None:
            return "words where none are described" if reply.content else ""
        if reply.kind not in content:
            return f"a kind that is not described: {reply.kind}"
        if reply.kind != JSON:
            return ""
        schema = content[JSON]["schema"]
        found = next(self._validator(schema["$ref"]).iter_errors(json.loads(reply.content)), None)
        return f"not as described: {found.message[:300]} at {found.instance_path}" if found else ""

    def _validator(self, reference: str) -> Any:
        if reference not in self._validators:
            schema = {"$ref": reference, "components": self._document["components"]}
            self._validators[reference] = jsonschema_rs.validator_for(schema)
        return self._validators[reference]


def is_told_of_elsewhere(operation: Operation, reply: Reply) -> bool:
    """That somebody else's server failed, as whoever asks is told."""
    if str(operation) == "GET /readyz":
        return reply.status == 503
    if reply.status not in {502, 503, 504} or reply.kind != JSON:
        return False
    return bool(FAULTS_ELSEWHERE.search(code_of(reply)))


def code_of(reply: Reply) -> str:
    """The code of a refusal; nothing where there is none."""
    if reply.kind != JSON or reply.status < 400:
        return ""
    error = json.loads(reply.content)["error"]
    return str(error.get("code") or error.get("type") or "")


def _fault_of_page(reply: Reply) -> str:
    if reply.status in {200, 204, 302, 304, 308, 400, 401, 403, 404, 405, 406, 410, 413, 415, 422, 429}:
        return "" if reply.content or reply.status in {204, 302, 304, 308} else "an empty page"
    return "a status that no page has"
