"""What the load client is asked to do, and what it reports; JSON between two processes."""

from typing import Literal

import msgspec


class Plan(msgspec.Struct, kw_only=True):
    """`streams` connections, each asking for an answer of `tokens` as soon as its last one is out.

    Starts are spread evenly over one answer, so that later every moment is alike; then `seconds` are
    measured. As a `burst`, all ask at the same instant, once.
    """

    port: int
    kind: Literal["provider", "chat", "gateway"]  # the body to send and the events to expect
    streams: int
    tokens: int
    rate: float  # tokens a second of each stream
    seconds: float = 0.0
    burst: bool = False
    patient: bool = False  # reads what follows an answer's first token once a second, which costs the machine little
    username: str = ""  # signs in first where there is one
    password: str = ""
    people: list[dict[str, str]] = msgspec.field(default_factory=list)  # headers of each; they have the streams in turn

    @property
    def answer_seconds(self) -> float:
        return self.tokens / self.rate


class Report(msgspec.Struct, kw_only=True):
    """What became of the answers. Times are milliseconds, of the answers begun while measured."""

    answers: int = 0
    faults: dict[str, int] = msgspec.field(default_factory=dict)  # what is wrong, how often
    tokens: int = 0  # of whole answers
    events: int = 0  # that carried them
    first_token: list[float] = msgspec.field(default_factory=list)  # since the request was written
    first_hop: list[float] = msgspec.field(default_factory=list)  # since the provider sent it
    cpu_seconds: float = 0.0

    def add_fault(self, fault: str, times: int = 1) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + times

    @property
    def asked(self) -> int:
        return self.answers + sum(self.faults.values())
