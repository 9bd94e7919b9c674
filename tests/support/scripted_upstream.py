"""A provider on loopback, or another address of this machine, that does what a test tells it to, and keeps a journal.

    with ScriptedUpstream() as upstream:
        upstream.script(Answer("hello", usage=Usage(prompt=9, completion=1)))
        ...  # ask upstream.base_url
        assert upstream.journal.last.usage_sent == Usage(prompt=9, completion=1)

It stands for DeepSeek and OpenAI-compatible providers: `POST /chat/completions` (with or without
`/v1`, and under `/beta` with the beginning of the answer), `GET /models`, `GET /user/balance`, a bearer key on each.
A search of the web (`POST /v1/tools/search`, which is under /v1 alone) finds `pages`, as does `GET /search` of a
SearXNG, which wants no key; `POST /v1/tools/fetch` gives `opened`. Other calls, such as `POST /embeddings`, are there
where a script is given for their path.
"""

import json
import threading
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support.upstream_account import Account
from tests.support.upstream_answers import HOSTILE_MARKDOWN, Answer, Gate, pieces
from tests.support.upstream_completions import Continued
from tests.support.upstream_embeddings import Embedded
from tests.support.upstream_faults import (
    Drip,
    Endless,
    ErrorEvent,
    GzipBomb,
    HugeLine,
    Raw,
    Redirect,
    Stall,
    Status,
    Whole,
)
from tests.support.upstream_fetches import Opened
from tests.support.upstream_http import Script, Server
from tests.support.upstream_journal import FETCH, SEARCH, Journal, Outcome, Received, Usage
from tests.support.upstream_searches import PAGES, SEARXNG, Pages

__all__ = [
    "HOSTILE_MARKDOWN",
    "Answer",
    "Continued",
    "Drip",
    "Embedded",
    "Endless",
    "ErrorEvent",
    "Gate",
    "GzipBomb",
    "HugeLine",
    "Opened",
    "Pages",
    "Raw",
    "Received",
    "Redirect",
    "Script",
    "ScriptedUpstream",
    "Stall",
    "Status",
    "Usage",
    "Whole",
    "pieces",
]

CHAT, MODELS, BALANCE = "/chat/completions", "/models", "/user/balance"


@dataclass(frozen=True, slots=True)
class _Planned:
    script: Script
    path: str
    model: str | None
    key: str | None
    always: bool

    def fits(self, request: Received) -> bool:
        return self.path == request.path and self.model in (None, request.model) and self.key in (None, request.key)


class ScriptedUpstream:
    """The provider. Settings may be changed while it runs.

    `keys` are the keys it accepts, any where None. `models` is its list: it refuses others.
    `default` answers what no script was given for. With an `account` the balance falls by what the answers cost.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self.journal = Journal()
        self.keys: set[str] | None = None
        self.models: list[str] = ["deepseek-flash", "deepseek-v4-pro"]
        self.balance = "110.00"
        self.account: Account | None = None
        self.default: Script = Answer()
        self.pages: Script = Pages(PAGES)
        self.opened: Script = Opened()
        self.stopping = threading.Event()
        self._plan: deque[_Planned] = deque()
        self._gates: list[Gate] = []
        self._plan_lock = threading.Lock()
        self._server = Server(self, host)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        return f"http://{self._host}:{self.port}"

    def script(
        self,
        *scripts: Script,
        path: str = CHAT,
        model: str | None = None,
        key: str | None = None,
        always: bool = False,
    ) -> None:
        """Play these next, one a request, in order; for one `model` or `key` only where given.

        With `always` a script stays after it has been played, behind those that were given first.
        """
        planned = [_Planned(script, path, model, key, always) for script in scripts]
        with self._plan_lock:
            self._plan.extend(planned)
            self._gates += [each.gate for each in scripts if isinstance(each, Answer | Pages | Opened) and each.gate]

    def forget_scripts(self) -> None:
        """And let go what is held back: an answer that is being written ends."""
        with self._plan_lock:
            self._plan.clear()
            while self._gates:
                self._gates.pop().open()

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Break open connections and free the port; returns when all threads have ended."""
        self.stopping.set()
        self._server.shutdown()
        self._server.break_connections()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def choose(self, request: Received) -> Script:
        """The script for a request, taken off the plan."""
        if request.path != SEARXNG and (not request.key or (self.keys is not None and request.key not in self.keys)):
            return Status(401, "Authentication fails: the api key is invalid")
        if request.prefix is not None and not request.beta:
            return Status(400, "prefix is a beta feature")
        with self._plan_lock:
            for planned in self._plan:
                if planned.fits(request):
                    if not planned.always:
                        self._plan.remove(planned)
                    return planned.script
        if request.path == FETCH:
            return self.opened
        return self.pages if request.path in {SEARCH, SEARXNG} else self._unscripted(request)

    def charge(self, request: Received, outcome: Outcome) -> None:
        """Take what an answer that has ended cost."""
        if self.account and request.is_answered:
            self.account.charge(request, outcome)

    def _unscripted(self, request: Received) -> Script:
        if request.path == MODELS:
            owned = [{"id": m, "object": "model", "owned_by": "scripted"} for m in self.models]
            return _json({"object": "list", "data": owned})
        if request.path == BALANCE:
            return _json(self.account.told() if self.account else self._told())
        if request.path != CHAT:
            return Status(404, "Not Found")
        if request.model not in self.models:
            return Status(400, "Model Not Exist")
        if not isinstance(request.body.get("messages"), list):
            return Status(422, "missing field `messages`")
        return self.default

    def _told(self) -> dict[str, Any]:
        parts = {"total_balance": self.balance, "granted_balance": "0.00", "topped_up_balance": self.balance}
        return {"is_available": float(self.balance) > 0, "balance_infos": [{"currency": "CNY"} | parts]}


def _json(content: dict[str, Any]) -> Whole:
    return Whole(json.dumps(content).encode(), "application/json")
