"""Titles that a model writes: chosen for a test, scripted, and waited for."""

import threading
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from flask_app.database import reading, transaction
from flask_app.models import Attempt, ChatModel, Conversation, Run, Setting
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from tests.support.brokers import PATIENCE, wait_until
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import Answer, Received, ScriptedUpstream
from tests.support.upstream_reply import Reply

WRITER = "deepseek-v4-pro"  # nobody else is asked by this name here
QUESTION = "hello"


class Held:
    """A title that comes once it is let go."""

    def __init__(self, text: str, **fields: Any) -> None:
        self._answer = Answer(text, **fields)
        self._is_free = threading.Event()

    def let_go(self) -> None:
        """And wait until nothing is being made."""
        self._is_free.set()
        wait()

    def play(self, reply: Reply, request: Received) -> None:
        self._is_free.wait(PATIENCE)
        self._answer.play(reply, request)


def choose(name: str = WRITER) -> str:
    """Have this model write titles; gives its id."""
    model_service.available()
    with reading() as session:
        model_id = session.scalars(select(ChatModel.id).where(ChatModel.name == name)).one()
    title_setting.choose(Actor(None), model_id)
    return model_id


def forget_the_choice() -> None:
    with transaction() as session:
        session.delete(session.get_one(Setting, title_setting.NAME))


def ask(client: FlaskClient, message: str = QUESTION, **fields: Any) -> list[ServerEvent]:
    """The whole answer, as its reader got it."""
    return events_of(client.post("/api/chat", json={"message": message} | fields).data)


def begin(client: FlaskClient, upstream: ScriptedUpstream) -> str:
    """The id of a conversation whose title is being asked for."""
    started = ask(client, QUESTION)[0].data
    wait_until(lambda: requests(upstream) and len(run_service.live_runs()) == 1)  # the answer's own thread has ended
    return str(started["conversation_id"])


def wait() -> None:
    """Until nothing is being made: an answer that ends begins its title before it is gone."""
    wait_until(lambda: not run_service.live_runs() and not _asking() and not run_service.live_runs())


def _asking() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("title-")]


def title_of(conversation_id: str) -> str:
    with reading() as session:
        return session.get_one(Conversation, conversation_id).title


def requests(upstream: ScriptedUpstream) -> list[Received]:
    """What the provider was asked for titles."""
    return [request for request in upstream.journal.chats if request.model == WRITER]


def attempts() -> list[Attempt]:
    with reading() as session:
        return list(session.scalars(select(Attempt).where(Attempt.channel == "title").order_by(Attempt.id)))


def states() -> list[str]:
    return [attempt.state for attempt in attempts()]


def runs() -> list[Run]:
    """Those of titles that are being made."""
    with reading() as session:
        return list(session.scalars(select(Run).where(Run.conversation_id.is_(None))))
