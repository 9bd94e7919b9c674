"""The page of the web that a scripted provider opens, whatever its address."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.upstream_answers import Gate
from tests.support.upstream_faults import error_object
from tests.support.upstream_journal import Received, Usage
from tests.support.upstream_reply import Reply

PAGE = {"title": "Kap Arkona", "markdown": "# Kap Arkona\n\nThe old lighthouse is 19 metres high.\n"}


@dataclass(frozen=True, slots=True)
class Opened:
    """Gives this page, with the address that was asked for; `gate`, a Gate(0), holds the reply back until it opens."""

    page: dict[str, Any] = field(default_factory=lambda: dict(PAGE))
    gate: Gate | None = None

    def play(self, reply: Reply, request: Received) -> None:
        url = str(request.body.get("url", ""))
        if not request.target.startswith("/v1/") or not url.startswith(("http://", "https://")):
            reply.json(422, error_object("url: an address of the web", "invalid_request_error"))
            return
        if self.gate:
            self.gate.wait(reply, 0)
        request.billed = request.usage_sent = Usage()
        reply.json(200, {"url": url} | self.page)
