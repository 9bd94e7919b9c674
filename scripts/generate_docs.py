"""Write the generated references (docs: API, settings, security); with --check, say whether they are current."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flask_app import create_app  # noqa: E402
from flask_app.config import Config  # noqa: E402
from flask_app.services.portability.conversation_format import File  # noqa: E402
from flask_app.web.openapi import ONLY, describe  # noqa: E402
from scripts import roles_reference, security_reference, settings_reference  # noqa: E402

INTRODUCTION = """# API

Generated from the routes by `make docs`; `docs/openapi.json` says the same as OpenAPI 3.1 with every field.

Sign in with `POST /api/login` (JSON `username`, `password`): the reply sets the session cookie and gives
`csrf_token`, which every later POST, PUT, PATCH and DELETE sends as the header `X-CSRF-Token`. Bodies are JSON.
Where the person has two-step sign-in, the reply is 401 `second_step_needed`, with the cookie of a pending sign-in:
within five minutes `POST /api/login/second-step` (JSON `code`: six digits, or a recovery code) gives the rest.
By a passkey it is `POST /api/login/passkey/options`, then `POST /api/login/passkey`, in WebAuthn's own JSON.
What gives rights, keys or money is refused to administrators with 403 `password_needed` where their session began
more than two hours ago: `POST /api/me/proof` with the `password` renews it, and the same may be asked again.
A failure is `{"error": {"code", "message", "request_id", "params"}}`; a 429 says in `Retry-After` when to ask again
(not where a prepaid balance is used up: nothing but a top-up helps).

`POST /api/chat`, `POST /api/messages/{user_message_id}/answers`, `POST /api/runs/{run_id}/continue`,
`POST /api/temporary/answers` and `GET /api/runs/{run_id}/events` answer as an event stream:
`start` (the ids, and `found_by` where passages were found by meaning, or were to be; the answer begins anew, also
where an earlier run wrote part of it: that comes first), `reasoning` and
`token` (`{"text"}`), `thought` between them (`{"thinking_ms"}`: how long was thought), `usage`, then `done` (`status`,
`finish_reason`, `title` as it was at the start) or `error` (`code`, `message`, `retryable`). Each event has an `id`; a
reader that lost the line asks for the events again with the header `Last-Event-ID` and gets exactly what it has not
seen.

`GET /api/conversations/export` and `POST /api/conversations/import` speak the format of
`docs/conversations.schema.json`.

Programs ask `/v1` instead, as OpenAI's or Anthropic's clients do, with a personal access token:
[gateway.md](gateway.md) says how. No cookie and no CSRF token count there, and a token opens nothing but `/v1`.
"""


def main() -> int:
    description = describe(_app())
    document = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    wanted = {"openapi.json": document, "api.md": _page(description)}
    wanted |= settings_reference.pages() | security_reference.pages()
    wanted["roles.md"] = roles_reference.page()
    wanted["conversations.schema.json"] = json.dumps(msgspec.json.schema(File), indent=2) + "\n"
    stale = [name for name, text in wanted.items() if _current(name) != text]
    if "--check" in sys.argv:
        if stale:
            print(f"not current, run make docs: {', '.join(stale)}", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / "docs" / name).write_text(wanted[name], encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def _app() -> Any:
    instance = Path(tempfile.mkdtemp())
    return create_app(Config.from_environment({"INSTANCE_DIR": str(instance)}))


def _current(name: str) -> str:
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _page(description: dict[str, Any]) -> str:
    lines = [INTRODUCTION, "| call | what it does | who may |", "|---|---|---|"]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            lines.append(f"| `{method.upper()} {path}` | {_words(operation)} | {_who(operation)} |")
    return "\n".join(lines) + "\n"


def _words(operation: dict[str, Any]) -> str:
    more = operation.get("description", "")
    for only in ONLY.values():
        more = more.removesuffix(only).strip()
    return f"{operation['summary']} {more}".strip()


def _who(operation: dict[str, Any]) -> str:
    for only in ONLY.values():
        if only in operation.get("description", ""):
            return only.removesuffix(" only.").lower()
    if {"token": []} in operation["security"]:
        return "programs with a token"
    return "people signed in" if operation["security"] else "anybody"


if __name__ == "__main__":
    sys.exit(main())
