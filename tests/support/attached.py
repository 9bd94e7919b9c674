"""Questions with files, and what the provider gets of them."""

from typing import Any

from tests.support.clients import PageClient
from tests.support.scripted_upstream import ScriptedUpstream

JSON = {"Accept": "application/json", "Accept-Language": "en"}
DOCUMENT = '<document name="re_port.pdf" pages="2">\n[page 1]\nHello\n[page 2]\nWorld\n</document>'


def ask(client: PageClient, message: str = "what is it?", **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": message} | fields, headers=JSON)


def asked(upstream: ScriptedUpstream) -> list[dict[str, Any]]:
    """The messages that the provider got."""
    return list(upstream.journal.last.body["messages"])
