"""The first stage of an answer that is looked up: the search, what is kept of it, and what the model is told then.

Its attempt is settled, and what was found written, in one transaction; only after that may the answer be asked for.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing
from flask_app.domain import cooldown, web_sources
from flask_app.domain.events import Usage
from flask_app.domain.web_sources import EMPTY, FAILED, FOUND, RUNNING, STOPPED, Page, Search
from flask_app.errors import AppError, Unavailable, UpstreamError
from flask_app.services.chat import prompts
from flask_app.services.chat.prompts import Request
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Dispatched, Entry, Outcome
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.web_search import search_attempts, searches
from flask_app.services.web_search.search_attempts import SearchTicket
from flask_app.services.web_search.searchers import Door
from flask_app.upstream.web_search import CALLS, OK, SearchCall

SECONDS = 10.0  # for all attempts together
SAVE_SECONDS = 10.0  # as long as a database that is away is waited for
PAUSE_SECONDS = 0.5
MAX_ATTEMPTS = 3
_NO_TOKENS = Usage(0, 0, 0, 0)
_OF_CHATS = {"conversation_too_long": "upstream_rejected"}  # codes that would say the wrong thing of a search

log = structlog.get_logger()


class Lookup:
    """One search from its start to what is stored of it: `make` once, then `end` with the answer.

    `tell` hears that it has begun, and once it is committed what came of it.
    """

    def __init__(self, ticket: SearchTicket, tell: Callable[[Search], object]) -> None:
        self._ticket, self._tell = ticket, tell
        self.search = Search(status=RUNNING, query=ticket.call.query, engine=ticket.searcher.kind)
        self.sent = ticket.sent
        self.outcome = Outcome(asked=False, status="interrupted", error_code="interrupted")
        self.is_settled = False
        self._unheard: list[Dispatched] = []
        self._deadline = 0.0

    def make(self, request: Request, answer: Dispatched, stop: StopSignal) -> tuple[Request, Dispatched]:
        """Search, write what came of it, and give the answer's request and attempt as they are then.

        A search that fails, or finds nothing, fails no answer. Raises Unavailable where it could not be written, or
        the answer's attempt has ended meanwhile: nobody is to be asked then.
        """
        self._tell(self.search)
        self._deadline = time.monotonic() + SECONDS
        self._ask(stop)
        told = _told(request, self.search)
        corrected = replace(answer, call=replace(answer.call, prompt_estimate=prompts.estimate(told)))
        if not self._save(corrected, stop):
            raise Unavailable("interrupted")
        self._tell(self.search)
        return told, corrected

    def end(self, connection: Connection) -> None:
        """Settle and write it where that could not be done before, in the transaction that ends the answer."""
        if self.search.status == RUNNING:  # it was never made, or came to no end
            self.search = msgspec.structs.replace(self.search, status=FAILED, error_code="internal")
        if not self.is_settled:
            self._write(connection)

    def attempts(self) -> set[str]:
        """Those that are settled here."""
        return {sent.attempt_id for sent in (self.sent, *self._unheard)}

    def settlements(self) -> list[Settlement]:
        """For the journal: counts alone. None once it is settled."""
        if self.is_settled:
            return []
        alone = journal.unasked(self.sent).sent
        own = Settlement(sent=alone, outcome=self.outcome, conversation_id=None)
        return [own, *(journal.unasked(sent) for sent in self._unheard)]

    def _ask(self, stop: StopSignal) -> None:
        """By one door after the other, until one answers or it is too late."""
        doors: Sequence[Door] = self._ticket.searcher.doors[:MAX_ATTEMPTS]
        failure = self._attempt(doors[0], stop)
        while failure is not None:
            doors = _others(doors, failure)
            if not (doors and failure.retryable and self._may_go_on(stop) and self._go_elsewhere(doors[0], failure)):
                self._fail(failure, stop)
                return
            failure = self._attempt(doors[0], stop)

    def _may_go_on(self, stop: StopSignal) -> bool:
        return stop.status is None and not self.outcome.taken_up and time.monotonic() < self._deadline

    def _attempt(self, door: Door, stop: StopSignal) -> UpstreamError | None:
        """Gives the failure of one that found nothing out."""
        call = self._ticket.call
        made = CALLS[self._ticket.searcher.kind](door.endpoint, call.query, call.words, self.sent.attempt_id)
        began = time.monotonic()
        stop.watch_search(made)
        try:
            pages = made.pages(max(self._deadline - began, 0.1))
        except AppError as error:
            return self._failed(made, error, began, stop)
        self._found(made, pages, began)
        return None

    def _found(self, made: SearchCall, pages: list[Page], began: float) -> None:
        counting.attempted(self._ticket.searcher.provider, made.status)
        self.outcome = self._outcome(made, began, usage=_NO_TOKENS)
        sources = web_sources.kept(pages)
        self.search = msgspec.structs.replace(self.search, status=FOUND if sources else EMPTY, sources=sources)

    def _failed(self, made: SearchCall, error: AppError, began: float, stop: StopSignal) -> UpstreamError:
        """What was answered, and could not be read, or was stopped on its way, may be billed."""
        failure = error if isinstance(error, UpstreamError) else UpstreamError(error.code)
        counting.attempted(self._ticket.searcher.provider, made.status)
        served = self.sent.call.model if made.status == OK else None
        code = _OF_CHATS.get(failure.code, failure.code)
        self.outcome = self._outcome(
            made,
            began,
            status=stop.status or "failed",
            error_code=None if stop.status else code,
            asked=made.asked,
            actual_model=served,
        )
        log.warning("search_failed", code=code, status=made.status, run=self._ticket.call.run_id)
        return failure

    def _outcome(self, made: SearchCall, began: float, **how: Any) -> Outcome:
        took = int((time.monotonic() - began) * 1000)
        return replace(Outcome(), status_code=made.status, bytes_received=made.bytes_received, duration_ms=took, **how)

    def _fail(self, failure: UpstreamError, stop: StopSignal) -> None:
        if stop.status in {"stopped", "left"}:
            self.search = msgspec.structs.replace(self.search, status=STOPPED)
            return
        code = stop.status or _OF_CHATS.get(failure.code, failure.code)
        self.search = msgspec.structs.replace(self.search, status=FAILED, error_code=code)

    def _go_elsewhere(self, door: Door, failure: UpstreamError) -> bool:
        """False where no other attempt can be written: what failed is settled with the search then."""

        def write(connection: Connection) -> Dispatched:
            made = search_attempts.another(connection, self._ticket, door, self.sent, failure)
            self._unheard.append(made)
            return made

        try:
            self.sent = in_writing(write, is_there=metering_service.is_dispatched)
        except (SQLAlchemyError, AppError) as error:
            reason = str(error.__cause__ or error)
            log.warning("search_not_tried_again", run=self._ticket.call.run_id, reason=reason)
            return False
        self._unheard.clear()
        return True

    def _save(self, answer: Dispatched, stop: StopSignal) -> bool:
        """False where the answer's attempt has ended. A database that is away is waited for, not for long."""
        deadline = time.monotonic() + SAVE_SECONDS

        def work(connection: Connection) -> tuple[Entry | None, bool]:
            return self._write(connection), search_attempts.correct(connection, answer)

        while True:
            try:
                entry, goes_on = in_writing(work)
            except SQLAlchemyError as error:
                log.warning("search_not_saved", run=self._ticket.call.run_id, reason=str(error.__cause__ or error))
                if stop.status or time.monotonic() > deadline:
                    raise Unavailable("database_unavailable") from error
                time.sleep(PAUSE_SECONDS)
            else:
                self.is_settled = True
                counting.booked(self.sent.call.model, entry)
                return goes_on

    def _write(self, connection: Connection) -> Entry | None:
        entry = search_attempts.settle(connection, self.sent, self.outcome, self._unheard)
        searches.end(connection, self._ticket.search_id, self.search)
        return entry


def _told(request: Request, search: Search) -> Request:
    """The same with what came of it before the question's words, and no more room than that takes."""
    *before, question = request.turns
    if words := web_sources.told(search):
        content = "\n\n".join(part for part in (words, question.content) if part)
        question = replace(question, content=content)
    return replace(request, turns=[*before, question], room=0)


def _others(doors: Sequence[Door], failure: UpstreamError) -> Sequence[Door]:
    """Whose turn it is: of an account that is empty or busy no other key."""
    first, *others = doors
    if failure.code in cooldown.ACCOUNT_CODES:
        return [door for door in others if not door.shares_account_with(first)]
    return others
