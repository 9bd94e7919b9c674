"""An eye on everything a page does: what it asks for, what goes wrong, what its policy had to stop."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response

# What the page puts into words is told by the browser's console too: a refusal, a server out of reach.
EXPECTED = re.compile(r"Failed to load resource: (.* status of 4\d\d|net::ERR_)")
LOCAL_SCHEMES = frozenset({"data", "blob", "about"})
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) =>
  console.error(`policy: ${violatedDirective} stopped ${blockedURI} (${sourceFile}:${lineNumber})`))
"""


class Watch:
    """What the pages of one browser context did. `problems` must be empty at the end."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self._origin = origin
        self._saving: set[Request] = set()
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._said)
        context.on("weberror", lambda error: self._failed(error.page, error.error))
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfailed", self._got_nothing)

    @property
    def strangers(self) -> list[str]:
        """Requests that left our origin."""
        return [request.url for request in self.requests if not self._is_ours(request.url)]

    @property
    def is_saving(self) -> bool:
        """Is a draft on its way to the server?"""
        return bool(self._saving)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.search(message.text):
            self.problems.append(f"console: {message.text}")

    def _failed(self, page: Page | None, error: Error) -> None:
        self.problems.append(f"script: {error} at {page.url if page else 'a closed page'}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        if request.method == "PUT" and request.url.endswith("/draft"):
            self._saving.add(request)
        if not self._is_ours(request.url):
            self.problems.append(f"request: {request.url}")

    def _answered(self, response: Response) -> None:
        self._saving.discard(response.request)
        if response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
            self.problems.append(f"response: {response.status} {response.url}")

    def _got_nothing(self, request: Request) -> None:
        self._saving.discard(request)
        if "/api/" not in request.url and request.failure != "net::ERR_ABORTED":  # aborted: the page was left
            self.problems.append(f"no response: {request.failure} {request.url}")

    def _is_ours(self, url: str) -> bool:
        return url.startswith(self._origin + "/") or urlsplit(url).scheme in LOCAL_SCHEMES
