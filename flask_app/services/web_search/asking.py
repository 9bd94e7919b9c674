"""Asking an engine: by one key after the other, each an attempt of its own, and how that went."""

import time
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing
from flask_app.domain import cooldown, web_links, web_sources
from flask_app.domain.events import Usage
from flask_app.domain.serving import SEARXNG
from flask_app.domain.web_sources import EMPTY, FAILED, FOUND, RUNNING, STOPPED, Page, Search
from flask_app.errors import AppError, UpstreamError
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Dispatched, Entry, Outcome
from flask_app.services.ledger import journal, metering_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.web_search import search_attempts
from flask_app.services.web_search.search_attempts import SearchTicket
from flask_app.services.web_search.searchers import Door
from flask_app.upstream.web_fetch import DeepSeekFetch
from flask_app.upstream.web_search import CALLS, SearchCall

SECONDS = 10.0  # for all attempts together
FETCH_SECONDS = 20.0  # the same of a link: whoever opens it waits for somebody else
MAX_ATTEMPTS = 3
LEAST_SECONDS = 0.1
_NO_TOKENS = Usage(0, 0, 0, 0)
_OF_CHATS = {"conversation_too_long": "upstream_rejected"}  # codes that would say the wrong thing of a search
_OF_SEARXNG = dict.fromkeys(("upstream_unreachable", "upstream_timeout"), "searxng_unreachable")  # it is no model's

log = structlog.get_logger()


class Asking:
    """One search, or one link, asked for once by `ask` and settled by `settle`. No key is benched for how it went.

    `search` is what came of it, `sent` the attempt that is to be settled.
    """

    def __init__(self, ticket: SearchTicket) -> None:
        self.ticket, self.sent = ticket, ticket.sent
        self.search = Search(status=RUNNING, query=ticket.call.query, engine=ticket.searcher.kind)
        self._outcome = Outcome(asked=False, status="interrupted", error_code="interrupted")
        self._unheard: list[Dispatched] = []  # attempts whose COMMIT got no reply: nobody was asked for them
        self._deadline = 0.0

    def ask(self, stop: StopSignal) -> None:
        """By one door after the other, until one answers or it is too late. No failure is raised."""
        self._deadline = time.monotonic() + (FETCH_SECONDS if self.ticket.call.link else SECONDS)
        doors: Sequence[Door] = self.ticket.searcher.doors
        failure, attempts = self._attempt(doors[0], stop), 1
        while failure is not None:
            doors = _others(doors, failure)
            may_help = bool(doors) and attempts < MAX_ATTEMPTS and failure.retryable and self._may_go_on(stop)
            if not (may_help and self._go_elsewhere(doors[0], failure)):
                self._fail(failure, stop)
                return
            failure, attempts = self._attempt(doors[0], stop), attempts + 1

    def give_up(self) -> None:
        """One that was never asked for, or came to no end, has failed."""
        if self.search.status == RUNNING:
            self.search = msgspec.structs.replace(self.search, status=FAILED, error_code="internal")

    def settle(self, connection: Connection) -> Entry | None:
        return search_attempts.settle(connection, self.sent, self._outcome, self._unheard)

    def attempts(self) -> set[str]:
        """Those that are settled here."""
        return {sent.attempt_id for sent in (self.sent, *self._unheard)}

    def settlements(self) -> list[Settlement]:
        """For the journal: counts alone, and nothing of the run."""
        alone = journal.unasked(self.sent).sent
        own = Settlement(sent=alone, outcome=self._outcome, conversation_id=None)
        return [own, *(journal.unasked(sent) for sent in self._unheard)]

    def _may_go_on(self, stop: StopSignal) -> bool:
        return stop.status is None and not self._outcome.taken_up and time.monotonic() < self._deadline

    def _attempt(self, door: Door, stop: StopSignal) -> UpstreamError | None:
        """Gives the failure of one that found nothing out."""
        made = self._made(door)
        began = time.monotonic()
        stop.watch_search(made)
        try:
            pages = made.pages(max(self._deadline - began, LEAST_SECONDS))
        except AppError as error:
            return self._failed(made, error, began, stop)
        finally:
            counting.attempted(self.ticket.searcher.provider, made.status)
        self._found(made, pages, began)
        return None

    def _made(self, door: Door) -> SearchCall:
        call = self.ticket.call
        if call.link:
            return DeepSeekFetch(door.endpoint, call.link, self.sent.attempt_id)
        return CALLS[self.ticket.searcher.kind](door.endpoint, call.query, call.words, self.sent.attempt_id)

    def _found(self, made: SearchCall, pages: list[Page], began: float) -> None:
        self._outcome = _outcome(made, began, usage=_NO_TOKENS)
        link = self.ticket.call.link
        sources = web_links.opened(link, pages) if link else web_sources.kept(pages)
        self.search = msgspec.structs.replace(self.search, status=FOUND if sources else EMPTY, sources=sources)

    def _failed(self, made: SearchCall, error: AppError, began: float, stop: StopSignal) -> UpstreamError:
        """What was answered, and could not be read, or was stopped on its way, may be billed."""
        failure = error if isinstance(error, UpstreamError) else UpstreamError(error.code)
        self._outcome = _outcome(
            made,
            began,
            status=stop.status or "failed",
            error_code=None if stop.status else self._code(failure),
            asked=made.asked,
            actual_model=self.sent.call.model if made.status == HTTPStatus.OK else None,
        )
        log.warning("search_failed", code=failure.code, status=made.status, run=self.ticket.call.run_id)
        return failure

    def _fail(self, failure: UpstreamError, stop: StopSignal) -> None:
        if stop.status in {"stopped", "left"}:
            self.search = msgspec.structs.replace(self.search, status=STOPPED)
        else:
            code = stop.status or self._code(failure)
            self.search = msgspec.structs.replace(self.search, status=FAILED, error_code=code)

    def _code(self, failure: UpstreamError) -> str:
        """What is said of it: of the engine, and not of the model that it is beside."""
        if self.ticket.searcher.kind == SEARXNG:
            return _OF_SEARXNG.get(failure.code, failure.code)
        if failure.upstream_status == HTTPStatus.NOT_FOUND:
            return "link_not_found" if self.ticket.call.link else "no_provider_search"
        return _OF_CHATS.get(failure.code, failure.code)

    def _go_elsewhere(self, door: Door, failure: UpstreamError) -> bool:
        """False where no other attempt can be written: what failed is settled with the search then."""

        def write(connection: Connection) -> Dispatched:
            made = search_attempts.another(connection, self.ticket, door, self.sent, failure)
            self._unheard.append(made)
            return made

        try:
            self.sent = in_writing(write, is_there=metering_service.is_dispatched)
        except (SQLAlchemyError, AppError) as error:
            reason = str(error.__cause__ or error)
            log.warning("search_not_tried_again", run=self.ticket.call.run_id, reason=reason)
            return False
        self._unheard.clear()
        return True


def _outcome(made: SearchCall, began: float, **how: Any) -> Outcome:
    took = int((time.monotonic() - began) * 1000)
    return replace(Outcome(), status_code=made.status, bytes_received=made.bytes_received, duration_ms=took, **how)


def _others(doors: Sequence[Door], failure: UpstreamError) -> Sequence[Door]:
    """Whose turn it is: of an account that is empty or busy no other key.

    The same once more where a connection that had been kept was closed when it was used again.
    """
    if failure.code == "upstream_cut":
        return doors
    first, *others = doors
    if failure.code in cooldown.ACCOUNT_CODES:
        return [door for door in others if not door.shares_account_with(first)]
    return others
