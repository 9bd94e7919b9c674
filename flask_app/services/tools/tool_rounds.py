"""The rounds of an answer that calls tools: what a round called is made, and the model is asked anew with the results.

A running run has exactly one open attempt of its answer. The transaction that settles a round's attempt dispatches the
next one's, of whose prompt nobody knows yet how long it is (an estimate of 0): nobody is asked by it until the calls
were made, and the transaction that writes what came of them has corrected that.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import in_writing
from flask_app.domain.events import Event, Reasoning, Token, ToolCall
from flask_app.domain.tools import FRAME_BYTES, MOST_RESULT_BYTES, MOST_ROUNDS, OPEN, Call
from flask_app.errors import AppError, Invalid, Unavailable
from flask_app.services.budgets import budget_service
from flask_app.services.chat import prompts
from flask_app.services.chat.chat_answer import ChatAnswer
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import cooldown_service, counting, dispatching
from flask_app.services.completion.attempts import Dispatched, Earlier, Entry, Outcome
from flask_app.services.completion.completion_service import Completion
from flask_app.services.completion.cooldown_service import Taken
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.ledger import journal, metering_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs import answer_service
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools import calling, tool_audit, tool_calls
from flask_app.services.tools.calling import Calling
from flask_app.services.tools.heard_calls import Heard, Wanted
from flask_app.services.tools.toolbox import Asked, Toolbox
from flask_app.services.web_search import search_attempts

Written = TypeVar("Written")

SAVE_SECONDS = 10.0  # as long as a database that is away is waited for
PAUSE_SECONDS = 0.5
CALLS = "tool_calls"
ENDS = (CALLS, "stop")  # how a round ends that calls: some providers say the latter

log = structlog.get_logger()


class Rounds:
    """An answer from its first round to its last. `keep` writes what is not written yet, with the answer's end."""

    def __init__(self, ticket: Ticket, box: Toolbox, answer: ChatAnswer, stop: StopSignal) -> None:
        self._ticket, self._box, self._answer, self._stop = ticket, box, answer, stop
        request, begun = ticket.request, answer.begun
        self._asked = Asked(
            arguments={},
            user_id=request.user_id,
            run_id=begun.run_id,
            question_id=begun.user_message_id,
            message_id=begun.message_id,
            request_id=request.request_id,
            address=request.address,
            tell_found=answer.tell_found,
        )
        self._calling = Calling(self._asked, stop, answer.tell_call)
        self._heard = Heard()
        self._round, self._made = 0, 0
        self._pause = ""  # what stands between the thoughts of earlier rounds and the next ones
        self._unwritten: list[Wanted] = []  # of the round that is made now: what came of it nobody has yet

    def ask(self, completion: Completion, go_on: Callable[[Completion], None]) -> None:
        """Ask round after round; `go_on` hears each time which completion the answer goes on with."""
        while True:
            self._round, self._heard = self._round + 1, Heard()
            completion.ask(self._tell_all)
            if not self._calls(completion):
                return
            opened = self._opened(completion)
            if opened is None:
                return
            go_on(opened)
            corrected = self._called(opened)
            if corrected is None:
                return
            go_on(completion := corrected)

    def keep(self, connection: Connection, outcome: Outcome) -> None:
        """In the transaction that ends the answer, perhaps more than once."""
        if self._unwritten:
            how = {"status": self._stop.status, "error_code": outcome.error_code}
            self._write_ends(connection, [calling.ended(each, **how) for each in self._unwritten])

    def tell_ends(self, outcome: Outcome) -> None:
        """Readers hear of calls that ended with the answer."""
        for each in self._unwritten:
            if each.kept.call.status in OPEN:
                self._answer.tell_call(
                    calling.ended(each, status=self._stop.status, error_code=outcome.error_code).kept.call
                )

    def _tell_all(self, events: list[Event]) -> None:
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if isinstance(event, ToolCall):
            self._heard.take(event)
        elif self._pause and isinstance(event, Reasoning):
            self._answer.tell(Reasoning(self._pause))
            self._pause = ""
        self._answer.tell(event)

    def _calls(self, completion: Completion) -> bool:
        """Has the round ended with calls that may be made?"""
        outcome = completion.outcome
        is_whole = outcome.status == "complete" and outcome.finish_reason in ENDS
        return is_whole and "tools" in completion.request.options and bool(outcome.call_parts)

    def _opened(self, completion: Completion) -> Completion | None:
        """The next round's, committed with the end of this one; None where the answer ends here."""
        wanted = self._heard.wanted(self._box, self._round, self._made)
        self._unwritten = wanted
        try:
            return self._next(completion, wanted, _request(completion, wanted, is_last=self._round >= MOST_ROUNDS))
        except AppError as error:
            completion.outcome.finish_reason = None
            completion.fail(error.code)
            outcome = completion.outcome
            outcome.error_code = outcome.error_code and error.code  # it is not the question that is too long
            return None

    def _next(self, completion: Completion, wanted: list[Wanted], request: Request) -> Completion:
        if prompts.is_too_long(request):
            raise Invalid("conversation_too_long")

        def work(connection: Connection) -> tuple[Entry | None, Taken, Dispatched]:
            budget_service.take_turn(connection, request.user_id)
            self._turn(connection, request.earlier)
            entry = completion.book(connection)
            taken = cooldown_service.take(connection, _first(completion.taken, self._ticket.candidates))
            sent = dispatching.attempt(connection, request, taken, is_open=True)
            completion.unheard.append(sent)
            ids = {"run_id": self._asked.run_id, "message_id": self._asked.message_id}
            tool_calls.write(connection, [each.kept for each in wanted], **ids)
            return entry, taken, sent

        entry, taken, sent = self._persistent(
            work, is_there=lambda connection, done: metering_service.is_dispatched(connection, done[2])
        )
        journal.compare(completion.sent, completion.outcome, entry)
        counting.booked(completion.sent.call.model, entry)
        self._tell_turn(completion.outcome, request, wanted)
        return self._completion(request, taken, sent, is_asked=False)

    def _turn(self, connection: Connection, earlier: Earlier | None) -> None:
        """Raises Unavailable where this worker was taken for dead meanwhile, or the conversation has gone."""
        ids = {"run_id": self._asked.run_id, "message_id": self._asked.message_id}
        if earlier is None or not answer_service.turn(connection, earlier, **ids):
            raise Unavailable("interrupted")

    def _tell_turn(self, outcome: Outcome, request: Request, wanted: list[Wanted]) -> None:
        earlier = request.earlier or Earlier("", "")
        if between := earlier.text[len(outcome.whole_text) :]:
            self._answer.tell(Token(between))
        self._pause = earlier.reasoning[len(outcome.whole_reasoning) :] or self._pause
        for each in wanted:
            self._answer.tell_call(each.kept.call)

    def _called(self, opened: Completion) -> Completion | None:
        """The same once its calls were made and what came of them is committed; None where the answer ends here."""
        for place, each in enumerate(self._unwritten):
            self._made += each.tool is not None
            self._unwritten[place] = self._calling.make(each)
        if self._stop.status:
            opened.fail("interrupted")
            return None
        try:
            return self._corrected(opened)
        except AppError as error:
            opened.fail(error.code)
            return None

    def _corrected(self, opened: Completion) -> Completion:
        request = _with_results(opened.request, self._unwritten)
        call = replace(opened.sent.call, prompt_estimate=prompts.estimate(request))
        sent = replace(opened.sent, call=call)

        def work(connection: Connection) -> bool:
            self._write_ends(connection, self._unwritten)
            return search_attempts.correct(connection, sent)

        if not self._persistent(work):
            raise Unavailable("interrupted")
        self._unwritten = []
        return self._completion(request, opened.taken, sent)

    def _write_ends(self, connection: Connection, wanted: list[Wanted]) -> None:
        ids = {"run_id": self._asked.run_id, "message_id": self._asked.message_id}
        tool_calls.write(connection, [each.kept for each in wanted], **ids)
        tool_calls.end(connection, [each.kept.call for each in wanted])
        tool_audit.note(connection, self._asked, [each.kept.call for each in wanted])

    def _completion(self, request: Request, taken: Taken, sent: Dispatched, *, is_asked: bool = True) -> Completion:
        ticket = replace(self._ticket, request=request, taken=taken, sent=sent)
        completion = Completion(ticket, self._stop)
        completion.outcome.asked = is_asked
        return completion

    def _persistent(
        self,
        work: Callable[[Connection], Written],
        is_there: Callable[[Connection, Written], bool] | None = None,
    ) -> Written:
        """As `in_writing`; a database that is away is waited for, not for long. Raises Unavailable then."""
        deadline = time.monotonic() + SAVE_SECONDS
        while True:
            try:
                return in_writing(work, is_there=is_there)
            except SQLAlchemyError as error:
                log.warning("round_not_saved", run=self._asked.run_id, reason=str(error.__cause__ or error))
                if self._stop.status or time.monotonic() > deadline:
                    raise Unavailable("database_unavailable") from error
                time.sleep(PAUSE_SECONDS)


def _first(taken: Taken, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Whoever has the prompt in a cache is asked first."""
    return [taken.candidate, *(each for each in candidates if each is not taken.candidate)]


def _request(completion: Completion, wanted: list[Wanted], *, is_last: bool) -> Request:
    """The next round's, with as much room as what comes of its calls may take. The last one is offered no tools."""
    request, outcome = completion.request, completion.outcome
    turn: dict[str, object] = {"role": "assistant", "content": outcome.text, CALLS: [each.echo for each in wanted]}
    if outcome.reasoning or request.model.thinking:
        turn["reasoning_content"] = outcome.reasoning
    return replace(
        request,
        turns=[*request.turns, Turn.of_program(turn)],
        earlier=_earlier(outcome),
        options={name: value for name, value in request.options.items() if not (is_last and name == "tools")},
        room=request.room + sum(_most(each.kept.call) for each in wanted),
    )


def _earlier(outcome: Outcome) -> Earlier:
    """All that was said by now; a round begins with a paragraph of its own."""
    words = (outcome.whole_text, outcome.whole_reasoning)
    text, reasoning = (said + "\n\n" if said and not said.endswith("\n\n") else said for said in words)
    return Earlier(text, reasoning, outcome.whole_thinking_ms, is_told=True)


def _most(call: Call) -> int:
    return FRAME_BYTES + (MOST_RESULT_BYTES if call.status in OPEN else len(call.result.encode()))


def _with_results(request: Request, wanted: list[Wanted]) -> Request:
    turns = [
        Turn(
            "tool",
            each.kept.call.result,
            {"role": "tool", "tool_call_id": each.kept.call_id, "content": each.kept.call.result},
        )
        for each in wanted
    ]
    every = [*request.turns, *turns]
    ids = [str(turn.raw["tool_call_id"]) for turn in every if turn.role == "tool" and turn.raw]
    return replace(request, turns=every, room=sum(map(len, ids)))  # beside their contents a provider may count them
