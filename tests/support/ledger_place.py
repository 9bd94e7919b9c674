"""Where acts on answers meet one another: people, a provider with its scripts, and what was asked of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_app.models import User
from flask_app.services.runs import run_service
from flask_app.services.runs.run_answers import Begun
from flask_app.services.runs.run_service import LiveRun
from flask_app.services.tokens.token_service import Visit
from tests.support.scripted_upstream import Answer, Continued, Embedded, ScriptedUpstream, Status, Usage
from tests.support.upstream_answers import chunk
from tests.support.upstream_choices import Several
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

if TYPE_CHECKING:
    from tests.support.ledger_workshop import Workshop


class Held:
    """Begins an answer, and says the rest when the test lets it. `waits`: it may wait for somebody's word then."""

    waits = False

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def has_begun(self, live: LiveRun) -> bool:
        """Is it held by now, as its worker has it?"""
        return live.completion.outcome.text == "one two "

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream()
        for word in ("one ", "two "):
            reply.token(chunk(request.model, 1, {"content": word}), {"content": word})
        while not self.let_go.is_set():
            reply.pause(0.01)
        used = Usage(prompt=20 + request.number, completion=10 + request.number)
        reply.event(chunk(request.model, 1, {"content": ""}, "stop"))
        reply.event(chunk(request.model, 1, None) | {"usage": used.deepseek()})
        request.usage_sent = used
        reply.event(b"[DONE]")
        reply.finish()


SCRIPTS: dict[str, Callable[[], Any]] = {
    "held": Held,
    "whole": lambda: Answer("a whole answer", usage=Usage(prompt=11, cached=3, completion=7)),
    "long": lambda: Answer("cut at its length", finish_reason="length", usage=Usage(prompt=12, completion=8)),
    "told all along": lambda: Answer("a count with each of its pieces", cumulative_usage=True),
    "untold": lambda: Answer("nobody counts this", tells_usage=False),
    "cut": lambda: Answer("a stream that breaks after some of its many words", cut_at=900),
    "cut at once": lambda: Answer("nothing of this", cut_at=20),
    "rejected": lambda: Status(400),
    "failing": lambda: Status(500),
    "refused": lambda: Status(401),
}
# To several at once.
SEVERAL: dict[str, Callable[[], Any]] = {
    "whole": lambda: Several("one answer of several"),
    "untold": lambda: Several("nobody counts these", tells_usage=False),
    "cut": lambda: Several("they break after some of their many words", cut_at=900),
    "one alone": lambda: Answer("it has never heard of more", usage=Usage(prompt=9, completion=6)),
    "failing": lambda: Status(500),
}
# What programs ask for beside answers of a chat.
TEXTS: dict[str, Callable[[], Any]] = {
    "whole": lambda: Continued(usage=Usage(prompt=6, completion=4)),
    "untold": lambda: Continued(tells_usage=False),
    "cut": lambda: Continued(breaks=True),
    "failing": lambda: Status(500),
}
EMBEDDINGS: dict[str, Callable[[], Any]] = {
    "whole": lambda: Embedded(usage=Usage(prompt=7)),
    "untold": lambda: Embedded(tells_usage=False),
    "cut": lambda: Embedded(cut_at=20),
    "failing": lambda: Status(500),
}


@dataclass
class Asked:
    """An answer that was asked for, `stop` it as its asker does. `question_id`: of one in a conversation.

    `disturbed`: somebody else than its worker may have ended it.
    """

    begun: Begun
    held: Held | None
    stop: Callable[[], object]
    question_id: str | None = None
    disturbed: bool = False

    @property
    def is_made(self) -> bool:
        return run_service.live_run(self.begun.run_id) is not None


@dataclass
class Place:
    """Where the acts happen: people, a provider, a database that can be away, a folder for the journal.

    `visit` is that of the person's program, `writer` the id of the model that may write titles, in the `workshop` are
    the tools that a model may call.
    """

    upstream: ScriptedUpstream
    person: User
    admin: User
    visit: Visit
    writer: str
    url: str
    folder: Path
    workshop: "Workshop"
    asked: list[Asked] = field(default_factory=list)

    @property
    def held(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.held and asked.is_made]
