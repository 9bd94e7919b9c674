"""Attempts as they are written, before their provider is asked: the first of a request, and each after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from flask_app import statements
from flask_app.errors import Invalid
from flask_app.services.budgets import budget_service
from flask_app.services.chat import prompts
from flask_app.services.chat.prompts import Request
from flask_app.services.completion import cooldown_service
from flask_app.services.completion.attempts import Bounds, Call, Dispatched
from flask_app.services.completion.cooldown_service import Taken
from flask_app.services.ledger import metering_service
from flask_app.services.providers.key_service import Candidate
from flask_app.services.runs import closing
from flask_app.services.tools.toolbox import Toolbox
from flask_app.services.web_search.search_attempts import LookupTicket
from flask_app.statements import Act, Question


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request whose first attempt is committed: `sent`, with the key `taken` from those that may be asked.

    What is looked up first has a `search`, whose first attempts are committed with it. `tools` may be called for it.
    """

    request: Request
    candidates: Sequence[Candidate]
    taken: Taken
    sent: Dispatched
    search: LookupTicket | None = None
    tools: Toolbox | None = None


def look_ahead(
    connection: Connection,
    whose: tuple[str, str | None],
    candidates: Sequence[Candidate],
    at: datetime,
    *first: Question,
) -> None:
    """Have asked in one round trip what `dispatch` asks at that moment, for a person and their token, behind what comes
    `first`, which locks the person's row.
    """
    model = candidates[0].model
    terms = budget_service.question(*whose, model.name, model.billed_in, at)
    statements.look_ahead(connection, *first, *cooldown_service.questions(candidates), terms)


def dispatch(
    connection: Connection,
    request: Request,
    candidates: Sequence[Candidate],
    at: datetime | None = None,
    *,
    before: Sequence[Act] = (),
) -> Ticket:
    """Write the first attempt, in the transaction that writes what it answers: both commit, or neither.

    It is of now, if not `at` another moment, and goes in one round trip with what is to be written `before` it. Raises
    Unavailable when nobody can be asked now or this process is about to end, Invalid (`prompts.code_of_length`) for
    what nobody could read, BudgetExhausted where there is no room for an answer. The person's row must be locked
    (`budget_service.take_turn`).
    """
    closing.check_open()
    if prompts.is_too_long(request):
        raise Invalid(prompts.code_of_length(request))
    take = cooldown_service.take_spare if request.in_passing else cooldown_service.take
    taken = take(connection, candidates)
    return Ticket(request, candidates, taken, attempt(connection, request, taken, at=at, before=before))


def attempt(
    connection: Connection,
    request: Request,
    taken: Taken,
    *,
    is_open: bool = False,
    at: datetime | None = None,
    before: Sequence[Act] = (),
) -> Dispatched:
    """The ledger books the provider that is asked, in its own name for the model and its own currency.

    One that `is_open` has a prompt that nobody knows yet (an estimate of 0): nobody is asked before it is corrected.
    """
    model = taken.candidate.model
    call = Call(
        user_id=request.user_id,
        channel=request.channel,
        model=model.name,
        provider_id=model.provider_id,
        currency=model.billed_in,
        request_id=request.request_id,
        address=request.address,
        prompt_estimate=0 if is_open else prompts.estimate(request),
        run_id=request.run_id,
        message_id=request.message_id,
        token_id=request.token_id,
        effort=prompts.effort(request, model),
    )
    longest = prompts.longest_answer(model, request.max_tokens, request.operation)
    bounds = Bounds(prompt=prompts.bound(request), answer=longest * prompts.choices(request))
    return metering_service.dispatch(connection, call, taken.key.id, bounds, at=at, before=before)
