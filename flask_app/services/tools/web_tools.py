"""The tools by which a model looks things up on the web itself: each call is an attempt of its own, as any search.

Budgets hold each, and one that has no room is told so. What was found is kept with the answer before the model is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from flask_app.database import in_writing, reading
from flask_app.domain import web_links, web_sources
from flask_app.domain.tools import FETCH, OWN_TITLES, SEARCH, WEB
from flask_app.domain.web_sources import EMPTY, FOUND, Search
from flask_app.errors import AppError
from flask_app.models import User
from flask_app.services.completion import counting
from flask_app.services.completion.attempts import Entry
from flask_app.services.ledger import journal, metering_service
from flask_app.services.runs import closing
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools.choosing import Choice, Source
from flask_app.services.tools.toolbox import Asked, Result, Tool
from flask_app.services.web_search import answer_sources, search_attempts, search_settings, searchers
from flask_app.services.web_search.answer_sources import Kept
from flask_app.services.web_search.asking import Asking
from flask_app.services.web_search.search_attempts import SearchTicket, Wanted
from flask_app.services.web_search.search_settings import DEEPSEEK
from flask_app.services.web_search.searchers import Searcher

_STRING = {"type": "string"}
_NOTHING = Result("The search found nothing. Other words may.")
_BAD_QUERY = Result(
    "No search was made: say in `query` what to search for.", is_error=True, error_code="bad_search_query"
)
_BAD_LINK = Result(
    "Nothing was opened: `url` has to be a whole address, http:// or https://.", is_error=True, error_code="bad_link"
)
_NOT_GRANTED = Result("This tool may not be used any more.", is_error=True, error_code="tool_not_granted")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WebTool:
    """Either of them, by whoever searches when the answer begins."""

    by: Searcher
    name: str
    title: str
    description: str
    parameters: Mapping[str, Any]
    server: str = ""
    server_id: str | None = None
    confirms: bool = False

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        """Ask, keep what came of it, and tell it."""
        wanted = _wanted(self.name, asked)
        if isinstance(wanted, Result):
            return wanted
        try:
            if not _may_search(asked.user_id):
                return _NOT_GRANTED
            asking = Asking(_dispatched(wanted, self.by))
        except AppError as error:
            return Result(f"Nothing was asked: {error.code}.", is_error=True, error_code=error.code)
        except SQLAlchemyError as error:
            log.warning("tool_not_asked", run=asked.run_id, reason=str(error.__cause__ or error))
            return _failed("database_unavailable")
        try:
            asking.ask(stop)
        finally:
            asking.give_up()
            kept = _kept(asking, asked)
        return _failed("database_unavailable") if kept is None else _told(kept, is_link=bool(wanted.link))


def granted(actor: User) -> list[Choice]:
    """The web, where they may search it now."""
    engine = search_settings.engine() if search_settings.may_search(actor) else None
    names = (SEARCH, FETCH) if engine and engine.kind == DEEPSEEK else (SEARCH,)
    return [Choice(id=WEB, name="", tools=names)] if engine else []


def of(actor: User, chosen: Sequence[str]) -> list[Tool]:
    """Those of the web, if that was chosen."""
    return list(_tools(actor)) if WEB in chosen else []


SOURCE = Source(granted, of)


def _tools(actor: User) -> list[WebTool]:
    by = searchers.now() if search_settings.may_search(actor) else None
    if by is None:
        return []
    search = WebTool(
        by,
        SEARCH,
        OWN_TITLES[SEARCH],
        "Search the web for what is not known, or may have changed. Gives numbered pages with what each says in short."
        " Cite those that you rely on by number, like [3].",
        _of(query=_STRING | {"description": "What to search for: a few words, 128 characters at most."}),
    )
    fetch = WebTool(
        by,
        FETCH,
        OWN_TITLES[FETCH],
        "Open a page of the web by its address, and give its words as Markdown, with a number to cite it by.",
        _of(url=_STRING | {"description": "The whole address, beginning with http:// or https://."}),
    )
    return [search, fetch] if by.opens else [search]


def _of(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _wanted(name: str, asked: Asked) -> Wanted | Result:
    """What is to be asked for, or what is told where that is nothing."""
    words = asked.arguments.get("url" if name == FETCH else "query")
    words = words if isinstance(words, str) else ""
    wanted = Wanted(
        user_id=asked.user_id,
        request_id=asked.request_id,
        address=asked.address,
        words=words,
        query="",
        run_id=asked.run_id,
        question_id=asked.question_id,
    )
    if name == FETCH:
        link = words.strip()
        return replace(wanted, link=link) if web_sources.is_open(link) else _BAD_LINK
    query = web_sources.query_of(words)
    return replace(wanted, query=query) if query else _BAD_QUERY


def _may_search(user_id: str) -> bool:
    """What an administrator takes away is taken at once."""
    with reading() as session:
        user = session.get(User, user_id)
    return user is not None and search_settings.may_search(user)


def _dispatched(wanted: Wanted, by: Searcher) -> SearchTicket:
    """In a transaction of its own. Raises BudgetExhausted, and Unavailable where the run is over."""

    def write(connection: Connection) -> SearchTicket:
        closing.check_open()
        search_attempts.take_turn(connection, wanted)
        return search_attempts.dispatch(connection, wanted, by)

    return in_writing(
        write,
        is_there=lambda connection, made: metering_service.is_dispatched(connection, made.sent),
        doubted=lambda made: journal.keep(journal.unasked(made.sent)),
    )


def _kept(asking: Asking, asked: Asked) -> Search | None:
    """Settle it, and keep what was found; None where that cannot be done: the journal has its counts then."""

    def work(connection: Connection) -> tuple[Entry | None, Kept]:
        entry = asking.settle(connection)
        ids = {"question_id": asked.question_id, "message_id": asked.message_id}
        return entry, answer_sources.keep(connection, asking.search, **ids)

    def is_there(connection: Connection, _: object) -> bool:
        return not metering_service.is_dispatched(connection, asking.sent)

    try:
        try:
            entry, kept = in_writing(work, is_there=is_there)
        except IntegrityError:  # the answer goes in this moment
            entry, kept = in_writing(asking.settle), Kept(asking.search)
    except SQLAlchemyError as error:
        log.warning("search_not_saved", run=asked.run_id, reason=str(error.__cause__ or error))
        for settlement in asking.settlements():
            journal.keep(settlement)
        return None
    counting.booked(asking.sent.call.model, entry)
    if kept.of_answer:
        asked.tell_found(kept.of_answer)
    return kept.told


def _told(search: Search, *, is_link: bool) -> Result:
    if search.status == FOUND:
        return Result(web_sources.told(search))
    if search.status == EMPTY:
        return _failed(web_links.EMPTY_PAGE) if is_link else _NOTHING
    return _failed(search.error_code or "interrupted")


def _failed(code: str) -> Result:
    return Result(f"It failed: {code}.", is_error=True, error_code=code)
