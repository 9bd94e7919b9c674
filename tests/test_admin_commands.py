"""What administrators do on their pages can be done by the API, and on the server by a command."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask

DOCUMENT = Path(__file__).parents[1] / "docs" / "openapi.json"
BY = {
    "POST /api/admin/announcements": "site announce",
    "PUT /api/admin/announcements/{announcement_id}": "site reannounce",
    "DELETE /api/admin/announcements/{announcement_id}": "site unannounce",
    "POST /api/admin/budgets": "budgets set",
    "PATCH /api/admin/budgets/{budget_id}": "budgets set",
    "DELETE /api/admin/budgets/{budget_id}": "budgets delete",
    "POST /api/admin/budgets/{budget_id}/top-ups": "budgets topup",
    "POST /api/admin/code-batches": "codes make",
    "DELETE /api/admin/code-batches/{batch_id}": "codes revoke",
    "DELETE /api/admin/codes/{code_id}": "codes revoke",
    "POST /api/admin/directories": "directories add",
    "PUT /api/admin/directories/{directory_id}": "directories change",
    "DELETE /api/admin/directories/{directory_id}": "directories remove",
    "POST /api/admin/directories/try": "directories try",
    "POST /api/admin/groups": "groups add",
    "PATCH /api/admin/groups/{group_id}": "groups change",
    "DELETE /api/admin/groups/{group_id}": "groups delete",
    "PUT /api/admin/groups/{group_id}/access": "groups access",
    "PUT /api/admin/groups/{group_id}/managers": "groups managers",
    "PUT /api/admin/groups/{group_id}/opening-balance": "groups opening",
    "PUT /api/admin/groups/{group_id}/supervision": "groups supervise",
    "POST /api/admin/identity-providers": "identities add",
    "PUT /api/admin/identity-providers/{identity_provider_id}": "identities change",
    "DELETE /api/admin/identity-providers/{identity_provider_id}": "identities remove",
    "POST /api/admin/identity-providers/try": "identities try",
    "POST /api/admin/invitations": "invitations create",
    "POST /api/admin/invitations/many": "invitations import",
    "DELETE /api/admin/invitations/{invitation_id}": "invitations revoke",
    "POST /api/admin/keys": "keys add",
    "PATCH /api/admin/keys/{key_id}": "keys change",
    "DELETE /api/admin/keys/{key_id}": "keys delete",
    "POST /api/admin/keys/{key_id}/balance": "keys balance",
    "DELETE /api/admin/keys/{key_id}/bench": "keys unbench",
    "POST /api/admin/keys/{key_id}/test": "keys test",
    "PUT /api/admin/models/{model_id}": "models change",
    "PUT /api/admin/models/titles": "models titles",
    "PUT /api/admin/models/embeddings": "models embeddings",
    "POST /api/admin/prompts": "prompts add",
    "PUT /api/admin/prompts/{shared_prompt_id}": "prompts change",
    "DELETE /api/admin/prompts/{shared_prompt_id}": "prompts delete",
    "POST /api/admin/tool-servers": "tools add",
    "PUT /api/admin/tool-servers/{tool_server_id}": "tools change",
    "DELETE /api/admin/tool-servers/{tool_server_id}": "tools remove",
    "POST /api/admin/tool-servers/{tool_server_id}/look": "tools look",
    "PUT /api/admin/tool-servers/{tool_server_id}/tools": "tools keep",
    "POST /api/admin/assistants": "assistants add",
    "PATCH /api/admin/assistants/{shared_assistant_id}": "assistants change",
    "DELETE /api/admin/assistants/{shared_assistant_id}": "assistants delete",
    "PATCH /api/admin/providers/{provider_id}": "keys provider",
    "PUT /api/admin/rates/groups/{group_id}": "rates set",
    "PUT /api/admin/rates/site": "rates set",
    "PUT /api/admin/reconciliations/{reconciliation_id}/acknowledgement": "usage acknowledge",
    "PUT /api/admin/reconciliations/threshold": "usage drift",
    "POST /api/admin/records/{record_id}/refund": "usage refund",
    "DELETE /api/admin/registrations/{registration_id}": "registrations refuse",
    "POST /api/admin/registrations/{registration_id}/accept": "registrations accept",
    "PUT /api/admin/requests/retention": "requests keep",
    "PUT /api/admin/settings/logo": "site logo",
    "DELETE /api/admin/settings/logo": "site logo",
    "PUT /api/admin/settings/password-sign-in": "identities passwords",
    "PUT /api/admin/settings/registration": "registrations allow",
    "PUT /api/admin/settings/sharing": "shares allow",
    "DELETE /api/admin/shares/{anybodys_share_id}": "shares end",
    "PUT /api/admin/settings/retention": "site keep",
    "PUT /api/admin/settings/site": "site name",
    "PUT /api/admin/settings/web-search": "site search",
    "POST /api/admin/settings/web-search/try": "site try-search",
    "POST /api/admin/tariffs": "tariffs add",
    "PUT /api/admin/tariffs/{tariff_id}": "tariffs change",
    "DELETE /api/admin/tariffs/{tariff_id}": "tariffs remove",
    "DELETE /api/admin/tokens/{access_token_id}": "tokens revoke",
    "POST /api/admin/users": "users create",
    "PATCH /api/admin/users/{user_id}": "users group",
    "DELETE /api/admin/users/{user_id}": "users delete",
    "POST /api/admin/users/{user_id}/ownership": "users role",
    "POST /api/admin/users/{user_id}/ownership/end": "users role",
    "DELETE /api/admin/users/{user_id}/passkeys": "users remove-passkeys",
    "POST /api/admin/users/{user_id}/reset-link": "users reset-link",
    "DELETE /api/admin/users/{user_id}/second-step": "users turn-off-second-step",
    "PATCH /api/admin/warnings": "warnings low-balance",
    "POST /api/admin/warnings/mail/test": "mail test",
    "PUT /api/admin/warnings/webhook": "warnings webhook",
    "DELETE /api/admin/warnings/webhook": "warnings webhook",
    "POST /api/admin/warnings/webhook/secret": "warnings webhook",
    "POST /api/admin/warnings/webhook/test": "warnings webhook",
}
# What they read; where there is no command, why.
READ_BY = {
    "audit": "audit",
    "budgets": "budgets list",
    "budgets/{budget_id}/top-ups": "budgets topups",
    "code-batches": "codes list",
    "code-batches/{batch_id}/codes": "codes list",
    "directories": "directories list",
    "groups": "groups list",
    "identity-providers": "identities list",
    "invitations": "invitations list",
    "keys": "keys list",
    "models": "models list",
    "overview": "usage overview",
    "prompts": "prompts list",
    "prompts/{shared_prompt_id}": "prompts show",
    "tool-servers": "tools list",
    "assistants": "assistants list",
    "assistants/{shared_assistant_id}": "assistants show",
    "rates": "rates list",
    "reconciliations": "usage reconcile",
    "reconciliations/{reconciliation_id}": "usage reconcile",
    "records": "usage records",
    "records/export": "usage records",
    "registrations": "registrations list",
    "report": "usage overview",
    "requests": "requests list",
    "requests/retention": "requests keep",
    "settings": "site show",
    "shares": "shares list",
    "system": "system",
    "tariffs": "tariffs list",
    "tokens": "tokens list",
    "usage": "usage show",
    "usage/tokens": "usage tokens",
    "users": "users list",
    "warnings": "warnings webhook",
    "warnings/notices": "warnings sent",
}
WITHOUT_COMMAND = {
    "usage/export": "`usage show` prints the same rows, and any shell keeps them in a file",
    "usage/tokens/export": "`usage tokens` does",
}
# Further commands that one route of the API is the same as.
BESIDES = {
    *("users disable", "users enable", "site language", "site accent"),
    *("directories switch", "identities switch", "tools switch", "assistants attach", "assistants detach"),
}
# What only the server does.
ALONE = {"usage rebuild", "usage verify", "usage reconcile", "secrets rotate", "backup", "restore", "move", "doctor"}
ALONE |= {"files move", "files check"}
READING = {"tokens", "list", "show", "announcements", "audit", "overview", "records", "sent", "system", "topups"}
READING |= {"files"}
PREFIX = "/api/admin/"
CHANGING = ("post", "put", "patch", "delete")


def commands(app: Flask) -> set[str]:
    context = click.Context(app.cli)
    found = set()
    for name in app.cli.list_commands(context):
        command = app.cli.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else None
        found |= {f"{name} {each}" for each in inner} if inner is not None else {name}
    return found


def paths() -> dict[str, Any]:
    every: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return {path: methods for path, methods in every.items() if path.startswith(PREFIX)}


def operations() -> set[str]:
    every = paths().items()
    return {f"{method.upper()} {path}" for path, methods in every for method in methods if method in CHANGING}


def test_whatever_an_administrator_changes_has_a_command(app: Flask) -> None:
    assert operations() == set(BY)
    assert set(BY.values()) | BESIDES | ALONE <= commands(app)


def test_whatever_an_administrator_reads_a_command_prints(app: Flask) -> None:
    """Or it is said why none does."""
    read = {path.removeprefix(PREFIX) for path, methods in paths().items() if "get" in methods}
    assert read == set(READ_BY) | set(WITHOUT_COMMAND)
    assert set(READ_BY.values()) <= commands(app)
    assert not set(READ_BY) & set(WITHOUT_COMMAND)


def test_whatever_a_command_changes_is_in_the_table(app: Flask) -> None:
    of_flask = {"run", "shell", "routes"}
    changing = {name for name in commands(app) if name.rpartition(" ")[2] not in READING} - of_flask
    assert changing == set(BY.values()) | BESIDES | ALONE


@pytest.mark.parametrize("command", sorted({*BY.values(), *BESIDES, *READ_BY.values()}))
def test_each_says_what_it_does(app: Flask, command: str) -> None:
    said = app.test_cli_runner().invoke(args=[*command.split(), "--help"])
    assert said.exit_code == 0
    assert said.output.count("\n") > 3
