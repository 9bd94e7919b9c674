"""The table of fields in docs/gateway.md names every field that a call takes, and none that it does not."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsBase
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from flask_app.errors import BadRequest
from flask_app.web.bodies import Body
from flask_app.web.completions import CompletionRequest
from flask_app.web.embeddings import EmbeddingRequest
from flask_app.web.messages import MessagePrompt, MessageRequest
from flask_app.web.responses import ResponseRequest
from flask_app.web.text_completions import TextCompletionRequest

DOCUMENT = Path(__file__).parents[2] / "docs" / "gateway.md"
CALLS: dict[str, type[Body]] = {
    "/v1/chat/completions": CompletionRequest,
    "/v1/completions": TextCompletionRequest,
    "/v1/embeddings": EmbeddingRequest,
    "/v1/responses": ResponseRequest,
    "/v1/messages": MessageRequest,
    "/v1/messages/count_tokens": MessagePrompt,
}
LEAST: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}]},
    "/v1/completions": {"prompt": "hello"},
    "/v1/embeddings": {"input": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 1},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "hello"}]},
}

# What the calls that are translated take according to the packages of those who made them; two are headers there.
PACKAGES: dict[str, Any] = {
    "/v1/responses": ResponseCreateParamsBase,
    "/v1/messages": MessageCreateParamsBase,
    "/v1/messages/count_tokens": MessageCountTokensParams,
}
HEADERS = {"user_profile_id", "workspace_id"}


def row(call: str) -> list[list[str]]:
    """The names in each column: passed, translated, taken, refused."""
    _, table = DOCUMENT.read_text("utf-8").split("### Field by field\n")
    line = re.findall(rf"^\| `POST {re.escape(call)}` \|(.*)\|$", table, re.MULTILINE)[0]
    return [re.findall(r"`(\w+)`", column) for column in line.split("|")]


@pytest.mark.parametrize("call", CALLS)
def test_every_field_stands_once_in_the_table(call: str) -> None:
    named = [field for column in row(call) for field in column]
    fields: tuple[Any, ...] = CALLS[call].__struct_fields__
    assert len(named) == len(set(named))
    assert set(named) == set(fields)


@pytest.mark.parametrize("call", PACKAGES)
def test_every_field_that_a_package_can_send_is_known(call: str) -> None:
    """Some clients write null for whatever they do not set, which nothing that is not known may be."""
    assert set(PACKAGES[call].__annotations__) - HEADERS <= set(CALLS[call].__struct_fields__)


@pytest.mark.parametrize("call", CALLS)
def test_what_is_said_to_be_refused_is_refused_where_it_has_a_value(call: str) -> None:
    """Clients write null for what they do not set."""
    least = LEAST[call] | {"model": "m"}
    for field in row(call)[-1]:
        body = msgspec.json.decode(json.dumps(least | {field: None}), type=CALLS[call])
        assert body.asked()  # type: ignore[attr-defined]
        with pytest.raises((msgspec.ValidationError, BadRequest), match=f"{field}|nothing_kept"):
            msgspec.json.decode(json.dumps(least | {field: 7}), type=CALLS[call]).asked()  # type: ignore[attr-defined]
