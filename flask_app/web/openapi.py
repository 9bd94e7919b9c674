"""The API described from itself: routes, rules, bodies and replies as an OpenAPI 3.1 document."""

import re
from typing import Any

import msgspec
from flask import Flask
from werkzeug.routing import Rule

from flask_app import config
from flask_app.services.gateway.gateway_errors import FaultReply
from flask_app.web.bodies import Reply

VERSION = "3.1.0"
_REF = "#/components/schemas/{name}"
References = dict[Any, dict[str, Any]]  # by type; of two types of one name each is called by its module too
_ACCESS: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "login": [{"session": []}],
    "admin": [{"session": []}],
    "owner": [{"session": []}],
    "manager": [{"session": []}],
    "token": [{"token": []}, {"token_as_key": []}],
}
ONLY = {"admin": "Administrators only.", "owner": "Owners only.", "manager": "Managers of the group only."}
_PROOF = "Asks for the password again (`password_needed`) two hours after signing in."


class ErrorDetail(Reply):
    code: str
    message: str
    request_id: str
    params: dict[str, Any]


class ErrorReply(Reply):
    """What every failure looks like; `message` is in the reader's language."""

    error: ErrorDetail


def describe(app: Flask) -> dict[str, Any]:
    """The document for every JSON and event-stream route of `app`."""
    rules = [rule for rule in app.url_map.iter_rules() if _is_api(app, rule)]
    views = [app.view_functions[rule.endpoint] for rule in rules]
    named = ("body_type", "reply_type", "failure_type")
    types = [getattr(view, name) for view in views for name in named if getattr(view, name, None)]
    unique = list({id(kind): kind for kind in [*types, ErrorReply, FaultReply]}.values())
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REF)
    references: References = dict(zip(unique, schemas, strict=True))
    paths: dict[str, Any] = {}
    for rule in sorted(rules, key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(_path(rule), {})[method.lower()] = _operation(app, rule, references)
    return {
        "openapi": VERSION,
        "info": {"title": "MingChat", "version": config.VERSION, "license": {"name": "MIT", "identifier": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-mingchat"},
                "token": {"type": "http", "scheme": "bearer"},
                "token_as_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _is_api(app: Flask, rule: Rule) -> bool:
    view = app.view_functions[rule.endpoint]
    return rule.rule.startswith("/api/") or hasattr(view, "reply_type")


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _operation(app: Flask, rule: Rule, references: References) -> dict[str, Any]:
    view: Any = app.view_functions[rule.endpoint]
    summary, _, more = (view.__doc__ or "").strip().partition("\n")
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": summary,
        "security": _ACCESS[view.access_rule],
        "responses": _responses(view, references),
    }
    if more.strip():
        operation["description"] = " ".join(more.split())
    if getattr(view, "asks_proof", False):
        operation["description"] = f"{operation.get('description', '')} {_PROOF}".strip()
    if words := ONLY.get(view.access_rule):
        operation["description"] = f"{operation.get('description', '')} {words}".strip()
    if parameters := _parameters(view, rule):
        operation["parameters"] = parameters
    if body := getattr(view, "body_type", None):
        operation["requestBody"] = {"required": True, "content": _json(references[body])}
    if getattr(view, "takes_bytes", False):
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return operation


def _parameters(view: Any, rule: Rule) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(rule.arguments)
    ]
    in_query = [
        {"name": name, "in": "query", "required": False, "description": words, "schema": {"type": "string"}}
        for name, words in getattr(view, "query_parameters", {}).items()
    ]
    in_header = [
        {"name": name, "in": "header", "required": False, "description": words, "schema": {"type": "string"}}
        for name, words in getattr(view, "headers", {}).items()
    ]
    return in_path + in_query + in_header


def _responses(view: Any, references: References) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if getattr(view, "streams", False):
        stream = {"text/event-stream": {"schema": {"type": "string"}}}
        found["200"] = {"description": "The answer's events.", "content": stream}
    if types := getattr(view, "content_types", ()):
        content = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in types}
        found["200"] = {"description": "A file.", "content": content}
    if hasattr(view, "reply_type"):
        status = str(view.reply_status)
        reply = found.setdefault(status, {"description": "Done."})
        if view.reply_type is not None:
            reply["content"] = reply.get("content", {}) | _json(references[view.reply_type])
    usual = FaultReply if view.access_rule == "token" else ErrorReply
    failure = _json(references[getattr(view, "failure_type", usual)])
    for status, words in getattr(view, "refusals", {}).items():
        found[str(status)] = {"description": words, "content": failure}
    found["default"] = {"description": "A failure, as a code and a sentence.", "content": failure}
    return found


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
