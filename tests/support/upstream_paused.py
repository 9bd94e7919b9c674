"""An answer that stops in the middle until a test lets it go on: as long as the test needs, and no longer."""

import threading
import time

from tests.support.brokers import PATIENCE
from tests.support.upstream_answers import chunk, counted, pieces
from tests.support.upstream_faults import begin
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

LOOK_SECONDS = 0.02


class Paused:
    """Says `begun`, and `rest` once it is told to go on."""

    def __init__(self, begun: str = "one two", rest: str = " three four") -> None:
        self.text, self._begun, self._rest = begun + rest, begun, rest
        self._goes_on = threading.Event()

    def go_on(self) -> None:
        self._goes_on.set()

    def play(self, reply: Reply, request: Received) -> None:
        begin(reply, request, self._begun)
        request.billed = counted(request, self.text)
        deadline = (
            time.monotonic() + 2 * PATIENCE
        )  # where what it waits for never comes, the test is to fail, not to hang
        while not self._goes_on.is_set() and time.monotonic() < deadline:
            reply.pause(LOOK_SECONDS)
        for piece in pieces(self._rest):
            delta = {"content": piece}
            reply.token(chunk(request.model, request.number, delta), delta)
        reply.event(chunk(request.model, request.number, {"content": ""}, "stop"))
        if request.wants_usage:
            told = chunk(request.model, request.number, None)
            reply.event(told | {"usage": request.billed.deepseek()})
            request.usage_sent = request.billed
        reply.event(b"[DONE]")
        reply.finish()
