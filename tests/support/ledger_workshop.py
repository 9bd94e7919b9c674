"""Tools for sequences of acts, and models that call them: what was made of each call is known by its number."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from flask_app.domain import tools
from flask_app.domain.tools import FETCH, OPEN, SEARCH, WAITING
from flask_app.models import ToolCall, User
from flask_app.services.runs import run_service
from flask_app.services.runs.run_service import LiveRun
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools.choosing import Choice, Source
from flask_app.services.tools.toolbox import Asked, Result, Tool
from tests.support import called
from tests.support.ledger_place import SCRIPTS, Held
from tests.support.scripted_upstream import Answer, Gate, Opened, Pages, Status, Usage
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

PATIENCE_SECONDS = 300.0
BENCH = "bench"  # what people choose
WELL = Result("sunny")
ENDS: dict[str, Result] = {
    "works": WELL,
    "fails": Result("It rains in.", is_error=True, error_code="mcp_error"),
    "late": Result("It took too long.", is_error=True, error_code="mcp_timeout"),
    "breaks": WELL,  # by a fault of ours
    "hangs": WELL,
    "confirmed": WELL,
    "confirmed_hangs": WELL,
}
GUARDED = ("confirmed", "confirmed_hangs")  # made when somebody has said so
# Beside those a model calls what is not there, with what cannot be read, and the web, which answers, fails, or hangs.
WEB = ("searches", "searches in vain", "search hangs", "opens")
KINDS = (*ENDS, "unknown", "garbage", *WEB)


@dataclass(frozen=True, slots=True)
class Round:
    """What a model says in one request: what it calls, and how its stream goes."""

    calls: tuple[str, ...]
    how: str  # whole, thinking, untold, cut, held


HOWS = ("whole", "thinking", "untold", "cut", "held")


@dataclass
class Workshop:
    """Where the tools are. `made` counts how often each call was made, `scenes` are whose it is.

    `waited`: the calls that began to wait while somebody was there to say whether they may be made. They wait on also
    where nobody is there any more.
    """

    waited: set[str] = field(default_factory=set)
    made: Counter[str] = field(default_factory=Counter)
    scenes: dict[str, "Scene"] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def forget(self) -> None:
        self.have_somebody_there(is_there=True)
        self.waited.clear()
        self.made.clear()
        self.scenes.clear()

    def have_somebody_there(self, *, is_there: bool) -> None:
        tools.CONFIRM_SECONDS = _Patience.of(PATIENCE_SECONDS, self._begins) if is_there else 0.0

    def waits(self, live: LiveRun) -> bool:
        """For somebody's word on a call, until that comes."""
        return any(call.run_id == live.begun.run_id and call.id in self.waited for call in waiting())

    def _begins(self) -> None:
        """Of a call whose worker asks how long it may take, on its thread; not of one that is allowed already."""
        live = run_service.live_run(threading.current_thread().name.removeprefix("run-"))
        assert live
        assert live._rounds
        now = next(each.kept for each in live._rounds._unwritten if each.kept.call.status in OPEN)
        if now.server_id not in live._rounds._calling._allowed:
            self.waited.add(now.call.id)

    def source(self) -> Source:
        choice, handy = Choice(id=BENCH, name="Bench", tools=list(ENDS)), [Handy(name, self) for name in ENDS]

        def of(_actor: User, _ids: Sequence[str]) -> Sequence[Tool]:
            return handy

        return Source(lambda _: [choice], of)

    def play(self, reply: Reply, request: Received) -> None:
        """What the web says to a search, or of a page."""
        words = str(request.body.get("query") or request.body.get("url"))
        if "vain" in words:
            Status(500).play(reply, request)
            return
        if "hangs" in words:
            self.scenes[words.split()[1]].hold(reply)
        (Opened() if "url" in request.body else Pages()).play(reply, request)


class _Patience(float):
    """For how many seconds a call waits. `note` hears of each that does, when its worker reckons until when."""

    note: Callable[[], None]

    @classmethod
    def of(cls, seconds: float, note: Callable[[], None]) -> Self:
        made = cls(seconds)
        made.note = note
        return made

    def __radd__(self, now: float) -> float:
        self.note()
        return now + float(self)


@dataclass(frozen=True, slots=True)
class Handy:
    """A tool of the workshop. See `toolbox.Tool`."""

    name: str
    workshop: Workshop
    description: str = "It is handy."
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})

    @property
    def title(self) -> str:
        return self.name.title()

    @property
    def confirms(self) -> bool:
        return self.name in GUARDED

    @property
    def server(self) -> str:
        return "Guarded" if self.confirms else "Open"

    @property
    def server_id(self) -> str:
        return self.server.lower()

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        number = asked.arguments["n"]
        self.workshop.made[number] += 1
        if self.name == "breaks":
            raise RuntimeError("the tool broke")
        if self.name.endswith("hangs"):
            hold = _Hold()
            stop.watch_tool(hold)
            self.workshop.scenes[number].hold(hold)
        return ENDS[self.name]


class _Hold:
    """What a call waits for that hangs."""

    def __init__(self) -> None:
        self._is_over = threading.Event()

    def shutdown(self) -> None:
        self._is_over.set()

    def pause(self, seconds: float) -> None:
        if self._is_over.wait(seconds):
            raise TimeoutError


class Scene(Held):
    """An answer that calls tools: a script for each request of it, a whole answer once there are no more."""

    def __init__(self, workshop: Workshop, plan: Sequence[Round | str]) -> None:
        super().__init__()
        calls = [kind for step in plan if isinstance(step, Round) for kind in step.calls]
        self.waits = not set(GUARDED).isdisjoint(calls)
        self._workshop, self._left = workshop, iter(plan)
        self._passed, self._holds = 0, list[int]()

    @property
    def is_held(self) -> bool:
        return self._passed in self._holds

    def pass_one(self) -> None:
        """What is held now goes on; what follows may be held again."""
        self._passed += 1

    def hold(self, within: "Reply | _Hold") -> None:
        """Until somebody lets it go, or it is ended."""
        passed = self._passed
        self._holds.append(passed)
        try:
            while not self.let_go.is_set() and self._passed == passed:
                within.pause(0.005)
        except TimeoutError:
            return
        finally:
            self._holds.remove(passed)

    def has_begun(self, live: LiveRun) -> bool:
        return self.is_held or self._workshop.waits(live)

    def play(self, reply: Reply, request: Received) -> None:
        step = next(self._left, "whole")
        script = SCRIPTS[step]() if isinstance(step, str) else self._answer(step, request)
        script.play(reply, request)

    def _answer(self, step: Round, request: Received) -> Answer:
        used = Usage(prompt=40 + request.number, completion=20 + request.number)
        answer = Answer(
            text="I look.",
            thinking="Look" if step.how == "thinking" else "",
            deltas=tuple({"tool_calls": [self._call(place, kind)]} for place, kind in enumerate(step.calls)),
            finish_reason="tool_calls",
            usage=used,
            tells_usage=step.how != "untold",
            cut_at=900 if step.how == "cut" else None,
        )
        return replace(answer, gate=_Gate(self)) if step.how == "held" else answer

    def _call(self, place: int, kind: str) -> dict[str, Any]:
        number = str(next(self._workshop.numbers))
        self._workshop.scenes[number] = self
        name, arguments = _written(kind, number)
        called = {"name": name, "arguments": arguments}
        return {"index": place, "id": f"call_{number}", "type": "function", "function": called}


def waiting() -> list[ToolCall]:
    """The calls that wait for somebody's word."""
    return [call for call in called.calls() if call.status == WAITING]


class _Gate(Gate):
    """After the first token."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self._scene = scene

    def wait(self, reply: Reply, token: int) -> None:
        if token == 1:
            self._scene.hold(reply)


def _written(kind: str, number: str) -> tuple[str, str]:
    """The name and the arguments of such a call."""
    if kind == "garbage":
        return "works", f'{{"n": "{number}'
    if kind == "opens":
        return FETCH, json.dumps({"url": f"https://example.org/{number}"})
    if kind in WEB:
        return SEARCH, json.dumps({"query": f"lighthouse {number} {kind}"})
    return kind, json.dumps({"n": number})
