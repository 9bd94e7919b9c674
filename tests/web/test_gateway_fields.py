"""The table of fields in docs/gateway.md names every field that a call takes, and none that it does not."""

import re
from pathlib import Path
from typing import Any

import pytest

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
NOTHING_ALONE = {"previous_response_id", "conversation", "prompt", "top_logprobs"}  # a client may say null


def row(call: str) -> list[list[str]]:
    """The names in each column: passed, translated, taken, refused."""
    _, table = DOCUMENT.read_text("utf-8").split("### Field by field\n")
    line = re.findall(rf"^\| `POST {re.escape(call)}` \|(.*)\|$", table, re.MULTILINE)[0]
    return [re.findall(r"`(\w+)`", column) for column in line.split("|")]


@pytest.mark.parametrize("call", CALLS)
def test_every_field_stands_once_in_the_table(call: str) -> None:
    passed, translated, taken, refused = row(call)
    named = [*passed, *translated, *taken]
    fields: tuple[Any, ...] = CALLS[call].__struct_fields__
    assert len(named) == len(set(named))
    assert set(named) | (set(refused) & NOTHING_ALONE if call == "/v1/responses" else set()) == set(fields)


@pytest.mark.parametrize("call", CALLS)
def test_what_is_said_to_be_refused_is_no_field(call: str) -> None:
    refused = set(row(call)[-1])
    known = set(CALLS[call].__struct_fields__)
    assert not refused & known - (NOTHING_ALONE if call == "/v1/responses" else set())
