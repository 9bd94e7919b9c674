"""A site whose people may have a model call the tools of a server, which really runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, expect

from flask_app.models import DEFAULT_GROUP_ID
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.support.mcp_server import McpServer

NAME = "Workshop"
SERVERS = "/api/admin/tool-servers"


@contextmanager
def offering(site: Site, *, confirms: bool = True) -> Iterator[McpServer]:
    """The tools of a server meanwhile, for everybody."""
    with McpServer() as server:
        body: dict[str, Any] = {"name": NAME, "url": server.url, "confirms": confirms, "groups": [DEFAULT_GROUP_ID]}
        added = f"{SERVERS}/{site.ask('POST', SERVERS, body)['id']}"
        seen = site.ask("POST", f"{added}/look")
        site.ask("PUT", f"{added}/tools", {"seen": seen["seen"], "enabled": ["echo", "fails", "hangs"]})
        yield server
        site.ask("DELETE", added)


def button(chat: Chat) -> Locator:
    return chat.page.locator("[data-tools]")


def box(chat: Chat) -> Locator:
    """The server's, also while the menu is closed."""
    return chat.page.locator("label").filter(has_text=NAME).locator("[data-tool]")


def choose(chat: Chat) -> None:
    """Have the server's tools called, or no more."""
    before = box(chat).evaluate("each => each.checked")
    button(chat).click()
    expect(box(chat)).to_be_visible()
    box(chat).click()
    expect(box(chat)).to_be_checked(checked=not before)
    chat.page.keyboard.press("Escape")
    expect(box(chat)).to_be_hidden()


def calls(chat: Chat) -> Locator:
    """The line of the newest answer's calls, which opens."""
    return chat.answer.locator(".calls > summary")


def rows(chat: Chat) -> Locator:
    return chat.answer.locator(".call")


def ask(chat: Chat, name: str) -> Locator:
    """One of the buttons of what waits: allow, allow_all, refuse."""
    return chat.answer.get_by_role("button", name=chat.say(f"chat.call_{name}"), exact=True)
