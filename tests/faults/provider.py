"""The provider of the faults: each question says what shall go wrong with its own answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.words import Wish
from tests.support.scripted_upstream import Answer, ErrorEvent, HugeLine, Raw, Received, Script, Stall, Status, Whole
from tests.support.upstream_faults import begin
from tests.support.upstream_reply import Reply

FIRST_KEY, *OTHER_KEYS = (f"sk-{which}-key-of-the-faults" for which in ("first", "second", "third", "fourth"))

REST_RATE = 60  # words a second of what is gone on with
RETRY_AFTER = 7  # seconds that a busy provider asks for


class Obliging:
    """Does what the last question asks for."""

    def play(self, reply: Reply, request: Received) -> None:
        wish, begun = wish_of(request), _begun(request)
        if wish is None:
            Status(422, "no wish").play(reply, request)
        elif begun is None:
            _script(wish, request).play(reply, request)
        else:
            Answer(wish.answer.removeprefix(begun), tokens_per_second=REST_RATE).play(reply, request)


def wish_of(request: Received) -> Wish | None:
    """What the newest of the request's questions asks for, whatever words ask to go on with its answer."""
    questions = [str(message.get("content")) for message in _messages(request) if message.get("role") == "user"]
    return next(filter(None, map(Wish.of, reversed(questions))), None)


def _begun(request: Received) -> str | None:
    """Of an answer that is to be gone on with: what there is."""
    return next((str(each["content"]) for each in _messages(request) if each.get("role") == "assistant"), None)


def _messages(request: Received) -> list[dict[str, Any]]:
    return request.body.get("messages") or []


@dataclass(frozen=True, slots=True)
class Trickle:
    """Some words, then one byte at a time: too slow ever to end, and never silent."""

    after: str
    seconds_per_byte: float = 0.2

    def play(self, reply: Reply, request: Received) -> None:
        begin(reply, request, self.after)
        for byte in b": " + b"." * 1000:
            reply.send(bytes([byte]))
            reply.pause(self.seconds_per_byte)
        reply.finish()


def _script(wish: Wish, request: Received) -> Script:
    name, _, argument = wish.fault.partition(":")
    plain = Answer(wish.answer, tokens_per_second=wish.rate)
    if name == "first":  # the other key is in order
        return Status(int(argument), retry_after=RETRY_AFTER) if request.key == FIRST_KEY else plain
    if name == "status":
        return Status(int(argument), retry_after=RETRY_AFTER)
    if name == "cut":
        return Answer(wish.answer, tokens_per_second=wish.rate, cut_at=int(argument))
    half = " ".join(wish.answer.split(" ")[: wish.words // 2])
    return _SCRIPTS[name](wish, half)


_SCRIPTS: dict[str, Callable[[Wish, str], Script]] = {
    "": lambda wish, _: Answer(wish.answer, tokens_per_second=wish.rate),
    "silence": lambda *_: Stall(before_head=True),
    "comments": lambda *_: Stall(comment_every=0.3),
    "stall": lambda _, half: Stall(after=half),
    "trickle": lambda _, half: Trickle(half),
    "html": lambda *_: Whole(),
    "garbage": lambda _, half: Raw(after=half),
    "reset": lambda _, half: Raw(parts=(), after=half, resets=True),
    "error-event": lambda _, half: ErrorEvent(after=half),
    "named-error": lambda _, half: ErrorEvent(after=half, name="error"),
    "huge-line": lambda _, half: HugeLine(after=half),
    "no-done": lambda wish, _: Answer(wish.answer, says_done=False),
    "no-usage": lambda wish, _: Answer(wish.answer, tells_usage=False),
    "no-end": lambda wish, _: Answer(wish.answer, says_done=False, tells_usage=False),
}
