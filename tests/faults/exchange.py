"""A question and its answer, as a client has them whose line may break at any time."""

import dataclasses
import threading
import time
from collections.abc import Sequence
from typing import Any

import urllib3

from flask_app.services.runs.run_following import REPLAYED
from tests.faults.rest import Rest
from tests.faults.words import Wish, foreign_bytes
from tests.support.served import Stream, Visitor

PATIENCE_SECONDS = 90  # for the whole of an answer, whatever happens meanwhile
PAUSE_SECONDS = 0.1


class Exchange:
    """`ids` are what the server acknowledged, `ending` the last event, `heard` all text that ever came.

    It reads at the addresses `via`, one after the other, and leaves after as many events as `leaves` says each time,
    to come back `away` seconds later. One that does not `insist` gives up at the first refusal. One that
    broke off may have a `rest`.
    """

    def __init__(
        self,
        visitor: Visitor,
        user: int,
        wish: Wish,
        *,
        model: str,
        via: Sequence[str],
        leaves: Sequence[int] = (),
        away: float = 0.0,
        insists: bool = True,
    ) -> None:
        self.visitor, self.user, self.wish, self.model = visitor, user, wish, model
        self.ids: dict[str, str] = {}
        self.ending: tuple[str, dict[str, Any]] | None = None
        self.text = self.heard = ""
        self.last_id = self.gaps = self.readings = 0
        self.refusals: list[tuple[int, str]] = []
        self.codes: list[str] = []
        self.faults: set[str] = set()
        self.was_stopped = False
        self.rest: Rest | None = None
        self.began_at, self.ended_at, self.longest_silence = time.monotonic(), 0.0, 0.0
        self._heard_at: float | None = None
        self._growth: list[tuple[float, int]] = []  # when the text was how long
        self._via, self._leaves, self._away, self._insists = via, leaves, away, insists
        self._thread = threading.Thread(target=self._converse, daemon=True)

    @property
    def status(self) -> str:
        """How it ended: the answer's status, an error's code, `refused` or nothing."""
        if self.ending is None:
            return "refused" if self.refusals and not self.ids else ""
        return str(self.ending[1].get("status") or self.ending[1].get("code"))

    @property
    def is_over(self) -> bool:
        return self.ended_at > 0

    @property
    def foreign_bytes(self) -> int:
        return foreign_bytes(self.heard, self.user)

    def begin(self) -> None:
        self._thread.start()

    def wait(self) -> str:
        """Its status, once it is over."""
        self._thread.join()
        return self.status

    def wait_for_text(self) -> None:
        """Until some of the answer is there, or it is over."""
        while not self.text and not self.is_over:
            time.sleep(0.01)

    @property
    def last_heard(self) -> float:
        """When the last word came, in monotonic seconds; its end where none did."""
        return self._growth[-1][0] if self._growth else self.ended_at

    def text_at(self, moment: float) -> str:
        """What was heard by then, in monotonic seconds."""
        return self.text[: max((length for heard_at, length in self._growth if heard_at <= moment), default=0)]

    def stop(self, address: str) -> None:
        self.was_stopped = True
        visitor = dataclasses.replace(self.visitor, base_url=address)
        reply = visitor.post(f"/api/runs/{self.ids['run_id']}/stop", {})
        assert reply.status == 202, reply.data

    def go_on(self, address: str) -> None:
        """As an open page does by itself; it must become the whole answer."""
        self.rest = Rest(self.rest_key)
        self.rest.read(dataclasses.replace(self.visitor, base_url=address), self.ids["run_id"])
        assert (self.rest.status, self.rest.text) == ("complete", self.wish.answer), self.rest

    @property
    def rest_key(self) -> str:
        """The idempotency key of a run that goes on with it."""
        return f"{self.wish.tag}-rest"

    def _converse(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self._read(deadline)
            except (urllib3.exceptions.HTTPError, OSError) as error:  # the line broke: come again
                self.codes.append(type(error).__name__)
            self.readings += 1
            if self.ending or (self.refusals and not self.ids and not self._insists):
                break
            time.sleep(PAUSE_SECONDS + (self._away if self.readings <= len(self._leaves) else 0))
        self.ended_at = time.monotonic()

    def _read(self, deadline: float) -> None:
        response = self._ask(self._at(self.readings))
        if response.status != 200:
            body = response.json()["error"] if b"json" in response.headers.get("Content-Type", "").encode() else {}
            self.refusals.append((response.status, body.get("code", "")))
            return
        stream, self._heard_at = Stream(response, deadline), None
        limit = self._leaves[self.readings] if self.readings < len(self._leaves) else None
        for taken, (name, event) in enumerate(stream, start=1):
            self._take(stream.last_id, name, event)
            if self.ending or taken == limit:
                break
        stream.close()

    def _ask(self, visitor: Visitor) -> urllib3.BaseHTTPResponse:
        if self.ids:
            path = f"/api/runs/{self.ids['run_id']}/events?after={self.last_id}"
            return visitor.ask("GET", path, None, whole=False)
        body = {"message": self.wish.question, "model": self.model, "idempotency_key": self.wish.tag}
        return visitor.ask("POST", "/api/chat", body, whole=False)

    def _at(self, reading: int) -> Visitor:
        return dataclasses.replace(self.visitor, base_url=self._via[reading % len(self._via)])

    def _take(self, number: int, name: str, event: dict[str, Any]) -> None:
        told_anew = name == "start" and number == max(self.last_id, REPLAYED) + 1
        self.gaps += number != self.last_id + 1 and not told_anew
        self.last_id = number
        if name == "start":
            self.ids, self.text = event, ""
        elif name == "token":
            now = time.monotonic()
            self.longest_silence = max(self.longest_silence, now - (self._heard_at or now))
            self._heard_at = now
            self.text += event["text"]
            self._growth.append((now, len(self.text)))
            self.heard += event["text"]
        elif name == "done" or (name == "error" and event["code"] != "not_saved_yet"):
            self.ending = (name, event)
        elif name == "error":
            self.codes.append(event["code"])
