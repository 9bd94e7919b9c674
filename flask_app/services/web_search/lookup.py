"""The first stage of an answer that is looked up: the search, what is kept of it, and what the model is told then.

Its attempts are settled, and what was found written, in one transaction; only after that may the answer be asked for.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing
from flask_app.domain import web_links, web_sources
from flask_app.domain.web_sources import Search
from flask_app.errors import Unavailable
from flask_app.services.chat import prompts
from flask_app.services.chat.prompts import Request
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Dispatched, Entry
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.web_search import asked_together, search_attempts, searches
from flask_app.services.web_search.asking import Asking
from flask_app.services.web_search.search_attempts import LookupTicket

SAVE_SECONDS = 10.0  # as long as a database that is away is waited for
PAUSE_SECONDS = 0.5

log = structlog.get_logger()


class Lookup:
    """What is looked up for a question, from its start to what is stored of it: `make` once, `end` with the answer.

    `tell` hears that it has begun, and once it is committed what came of it.
    """

    def __init__(self, ticket: LookupTicket, tell: Callable[[Search], object]) -> None:
        self._askings, self._tell = [Asking(each) for each in ticket.all], tell
        self._search_id, self._is_written = ticket.search_id, False
        self._call, self._engine = ticket.all[-1].call, ticket.all[-1].searcher.kind

    def make(self, request: Request, answer: Dispatched, stop: StopSignal) -> tuple[Request, Dispatched]:
        """Search, write what came of it, and give the answer's request and attempt as they are then.

        A search that fails, or finds nothing, fails no answer. Raises Unavailable where it could not be written, or
        the answer's attempt has ended meanwhile: nobody is to be asked then.
        """
        self._tell(self._search())
        asked_together.ask(self._askings, stop)
        told = _told(request, self._search())
        corrected = replace(answer, call=replace(answer.call, prompt_estimate=prompts.estimate(told)))
        if not self._save(corrected, stop):
            raise Unavailable("interrupted")
        self._tell(self._search())
        return told, corrected

    def end(self, connection: Connection) -> None:
        """Settle and write it where that could not be done before, in the transaction that ends the answer."""
        if not self._is_written:
            for asking in self._askings:
                asking.give_up()
            self._write(connection)

    def attempts(self) -> set[str]:
        """Those that are settled here."""
        return {attempt for asking in self._askings for attempt in asking.attempts()}

    def settlements(self) -> list[Settlement]:
        """For the journal; none once it is written."""
        if self._is_written:
            return []
        return [settlement for asking in self._askings for settlement in asking.settlements()]

    def _search(self) -> Search:
        """What came of all of it so far."""
        links = {asking.ticket.call.link: asking.search for asking in self._askings if asking.ticket.call.link}
        search = next((asking.search for asking in self._askings if not asking.ticket.call.link), None)
        return web_links.together(self._call.query, self._engine, links, search)

    def _save(self, answer: Dispatched, stop: StopSignal) -> bool:
        """False where the answer's attempt has ended. A database that is away is waited for, not for long."""
        deadline = time.monotonic() + SAVE_SECONDS

        def work(connection: Connection) -> tuple[list[Entry | None], bool]:
            return self._write(connection), search_attempts.correct(connection, answer)

        while True:
            try:
                entries, goes_on = in_writing(work)
            except SQLAlchemyError as error:
                log.warning("search_not_saved", run=self._call.run_id, reason=str(error.__cause__ or error))
                if stop.status or time.monotonic() > deadline:
                    raise Unavailable("database_unavailable") from error
                time.sleep(PAUSE_SECONDS)
            else:
                self._is_written = True
                for asking, entry in zip(self._askings, entries, strict=True):
                    counting.booked(asking.sent.call.model, entry)
                return goes_on

    def _write(self, connection: Connection) -> list[Entry | None]:
        entries = [asking.settle(connection) for asking in self._askings]
        searches.end(connection, self._search_id, self._search())
        return entries


def _told(request: Request, search: Search) -> Request:
    """The same with what came of it before the question's words, and no more room than that takes."""
    *before, question = request.turns
    if words := web_sources.told(search):
        content = "\n\n".join(part for part in (words, question.content) if part)
        question = replace(question, content=content)
    return replace(request, turns=[*before, question], room=0)
