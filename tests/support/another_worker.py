"""A worker beside the application's own, and readers of the application on threads of their own."""

import threading
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Conversation, Message, Run, User
from flask_app.streams import Broker, RunLog
from tests.support.brokers import PATIENCE
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of


@dataclass
class Other:
    """Another worker with a run of the member's; `nudged` once it is told to look."""

    broker: Broker
    worker: str = field(default_factory=new_id)
    nudged: threading.Event = field(default_factory=threading.Event)
    run_id: str = field(default_factory=new_id)
    message_id: str = field(default_factory=new_id)
    conversation_id: str = field(default_factory=new_id)

    def begin(self, user: User) -> RunLog:
        question = {"conversation_id": self.conversation_id, "model": "m"}
        with transaction() as session:
            session.add(Conversation(id=self.conversation_id, user_id=user.id, title="There"))
            session.flush()
            asked = Message(role="user", text="?", **question)
            answer = Message(id=self.message_id, role="assistant", status="running", **question)
            session.add_all([asked, answer])
            session.flush()
            session.add(
                Run(
                    id=self.run_id,
                    user_id=user.id,
                    conversation_id=self.conversation_id,
                    user_message_id=asked.id,
                    message_id=self.message_id,
                    worker=self.worker,
                    lease_expires_at=utc_now() + timedelta(seconds=30),
                )
            )
        log = self.broker.open(self.run_id)
        log.append("start", b'{"title":"There"}')
        return log

    def keep(self, text: str, reasoning: str = "", thinking_ms: int | None = None) -> None:
        """As a worker does every two seconds."""
        with transaction() as session:
            words = {"text": text, "reasoning": reasoning, "thinking_ms": thinking_ms}
            session.execute(update(Message).where(Message.id == self.message_id).values(words))

    def end(self, status: str = "complete", text: str = "") -> None:
        with transaction() as session:
            session.execute(update(Run).where(Run.id == self.run_id).values(status=status))
            session.execute(update(Message).where(Message.id == self.message_id).values(status=status, text=text))

    @property
    def stop_requested(self) -> bool:
        with reading() as session:
            return session.scalars(select(Run.stop_requested).where(Run.id == self.run_id)).one() is not None


class Following:
    """A reader of the application's, on a thread of its own."""

    def __init__(self, client: PageClient, run_id: str, after: int = 0) -> None:
        self._reply = client.get(f"/api/runs/{run_id}/events?after={after}", buffered=False)
        assert self._reply.status_code == 200
        self.body = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for piece in self._reply.response:
            self.body += piece  # type: ignore[operator]

    @property
    def events(self) -> list[ServerEvent]:
        return events_of(self.body)

    def wait(self, seconds: float = PATIENCE) -> list[ServerEvent]:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the reader still waits"
        return self.events


def say(log: RunLog, first: int, last: int) -> None:
    for number in range(first, last + 1):
        log.append("token", b'{"text":"%d "}' % number)
