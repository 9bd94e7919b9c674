"""Answers whose model calls tools of a real server: what the server is asked, and what the model is told."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.tools import tool_servers
from flask_app.services.tools.tool_servers import Wanted
from tests.support import called, tooling
from tests.support.brokers import wait_until
from tests.support.called import calling
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.mcp_server import TOKEN, McpServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.tooling import HOUSE

WORDS = '{"words": "hello"}'


@pytest.fixture(autouse=True)
def ledger_agrees(member_client: PageClient, agreed: Callable[..., None]) -> Iterator[None]:
    yield
    agreed()


@pytest.fixture
def server_id(workshop: McpServer) -> str:
    return tooling.offered(workshop.at("locked"), secret=TOKEN, confirms=False).server.id


def ask(client: PageClient, server_id: str) -> Any:
    return called.ask_whole(client, tools=[server_id])


def heard(upstream: ScriptedUpstream) -> str:
    """What the model was told of the first call."""
    return str(next(each["content"] for each in upstream.journal.chats[-1].body["messages"] if each["role"] == "tool"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("echo", "echo: hello"),
        ("draws", "Here it is:\n\n[image]"),
        ("counts", '{"boats":3}'),
        ("works", "works: hello"),
    ],
)
def test_a_servers_tool_is_called_and_its_words_go_on(
    member_client: PageClient, upstream: ScriptedUpstream, workshop: McpServer, server_id: str, name: str, told: str
) -> None:
    workshop.called.clear()
    upstream.script(calling((f"Workshop__{name}", WORDS)), Answer("So be it."))
    ask(member_client, server_id)
    assert workshop.called == [(name, {"words": "hello"})]
    assert told in heard(upstream)
    (call,) = called.calls()
    assert (call.server, call.server_id, call.status, call.result) == ("Workshop", server_id, "done", told)
    (entry,) = called.audited()
    assert "hello" not in str(entry)
    asked = [tool["function"]["name"] for tool in upstream.journal.chats[0].body["tools"]]
    assert asked[:2] == ["Workshop__echo", "Workshop__fails"]


@pytest.mark.parametrize(("name", "code"), [("fails", "tool_said_error"), ("broken", "mcp_error")])
def test_what_fails_there_fails_no_answer(
    member_client: PageClient, upstream: ScriptedUpstream, server_id: str, name: str, code: str
) -> None:
    upstream.script(calling((f"Workshop__{name}", WORDS)), Answer("I could not."))
    ask(member_client, server_id)
    assert called.standing() == [("failed", code)]
    assert called.answer().text == "I could not."
    assert heard(upstream)


def test_a_server_that_is_taken_away_meanwhile_is_not_called(
    member_client: PageClient, upstream: ScriptedUpstream, workshop: McpServer, server_id: str
) -> None:
    upstream.script(calling(("Workshop__hangs", WORDS), ("Workshop__echo", WORDS)), Answer("I could not."))
    workshop.called.clear()

    def take_away() -> None:
        wait_until(lambda: workshop.called)
        wanted = Wanted(name="Workshop", url=workshop.at("locked"), groups=frozenset())
        tool_servers.change(HOUSE, server_id, wanted)
        workshop.let_go.set()

    taker = threading.Thread(target=take_away)
    taker.start()
    try:
        ask(member_client, server_id)
    finally:
        taker.join()
        workshop.let_go.clear()
    assert workshop.called == [("hangs", {"words": "hello"})]
    assert called.standing() == [("done", None), ("failed", "tool_not_granted")]


def test_a_server_of_another_group_cannot_be_chosen(member_client: PageClient, workshop: McpServer) -> None:
    server = tooling.offered(workshop.url, groups=frozenset()).server
    message = {"message": "hello", "tools": [server.id]}
    assert error_code(member_client.post("/api/chat", json=message)) == "tool_not_granted"
    assert DEFAULT_GROUP_ID not in tool_servers.one(server.id).groups
