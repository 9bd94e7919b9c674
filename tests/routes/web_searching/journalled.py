"""What a worker leaves behind that is killed while the database is away, and a question waits for the web."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, update

from flask_app import database
from flask_app.database import in_writing, transaction
from flask_app.models import User, WebSearch, WebSource
from flask_app.services.chat import chat_service, knowledge
from flask_app.services.chat.chat_service import Draft, Sending
from flask_app.services.completion import failover
from flask_app.services.providers import model_service
from flask_app.services.runs import doubt, run_service
from flask_app.services.web_search import searchers
from tests.support import web_searching
from tests.support.events import events_of
from tests.support.killed import as_if_killed
from tests.support.unheard import NOWHERE
from tests.support.upstream_http import Script
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply
from tests.support.web_searching import ORIGIN


@dataclass(frozen=True)
class WithoutDatabase:
    """The database goes away while somebody answers so."""

    script: Script

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        self.script.play(reply, request)


def left_behind(folder: Path, member: User, question: str, database_url: str) -> dict[Path, bytes]:
    """The files of its journal, whose database is back."""
    begun = chat_service.send(member, Draft(text=question, search=True), ORIGIN)
    files: dict[Path, bytes] = {}
    for frame in run_service.read(member, begun.run_id, after=0, locale="en"):
        if any(event.data.get("code") == "not_saved_yet" for event in events_of(frame)):
            files = {file: file.read_bytes() for file in folder.glob("*.json")}
            database.connect(database_url)
    as_if_killed(text="")
    with transaction() as session:
        session.execute(update(WebSearch).values(status="running"))
        session.execute(delete(WebSource))
    return files


def put_back(files: dict[Path, bytes]) -> None:
    for file, content in files.items():
        file.write_bytes(content)


def forgo(member: User, question: str) -> None:
    """As a process does that is closed before it is known whether what it wrote is there."""
    web_searching.switch_on()
    draft, model = Draft(text=question, search=True), model_service.find(None)
    sending = Sending(draft, {}, knowledge.NOTHING, searchers.find(member), None)
    asked = (member, sending, model, failover.candidates_for(model), ORIGIN)
    begun, ticket = in_writing(lambda connection: chat_service._write(connection, *asked))
    doubt.forgo(ticket, begun.conversation_id)
