"""Answers to programs: asked for with a personal access token, made and metered as the chat's are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, new_id, utc_now
from flask_app.domain.serving import Operation, ServedModel, Thinking, folded
from flask_app.errors import BadRequest, Forbidden, Invalid, TooMany
from flask_app.models import Run
from flask_app.services.chat import prompts
from flask_app.services.chat.chat_service import Origin
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.gateway import program_keys
from flask_app.services.gateway.gateway_errors import RETRY_SECONDS
from flask_app.services.gateway.program_answers import ProgramAnswer, ProgramRun, Whole
from flask_app.services.gateway.program_keys import AskedUnder
from flask_app.services.providers import model_lists, model_service
from flask_app.services.runs import doubt, run_cap, run_service
from flask_app.services.tokens import token_access_service, token_turns
from flask_app.services.tokens.token_service import Visit

CHANNEL = "api"

_COUNT_RUNNING = select(func.count()).where(
    Run.user_id == bindparam("person"), Run.status == "running", Run.token_id == bindparam("token")
)

Answer = TypeVar("Answer", bound=ProgramAnswer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a program asks: `options` go to the provider as they are, and `beside` them fields that nobody here knows;
    `max_tokens` bounds the answer.

    `thinking` is for models that can be told; None leaves it to the provider, or to the options.
    """

    model: str
    turns: Sequence[Turn]
    options: Mapping[str, object]
    max_tokens: int | None
    thinking: Thinking | None = None
    operation: Operation = "chat"
    beside: Mapping[str, object] = field(default_factory=dict)


def begin(
    visited: Visit,
    asked: Asked,
    origin: Origin,
    make: Callable[[ProgramRun], Answer],
    under: AskedUnder | None = None,
) -> Answer:
    """Start the answer, which `make` makes of its run, `under` the key that it was asked with.

    Raises what sending a message does, BadRequest("images_not_taken") where this machine's own model cannot see them,
    BadRequest("one_choice_only") where it is asked for several answers, of which it counts one,
    Forbidden("model_not_allowed") where the token is kept to others,
    TooMany("too_many_runs_of_token"), TokenRequired where it was revoked in this moment, and Conflict as
    `program_keys.claim` does.
    """
    model, offered = _offered(visited, asked.model)
    if model.local and any(turn.images for turn in asked.turns):
        raise BadRequest("images_not_taken", field="messages")
    keys = failover.candidates_for(model, offered)
    run_id = new_id()
    request = _request(visited, asked, model, origin, run_id)
    if model.local and prompts.choices(request) > 1:
        raise BadRequest("one_choice_only", field="n")

    def write(connection: Connection) -> Ticket:
        if under:
            program_keys.claim(connection, under, run_id, origin.request_id)
        at = utc_now()
        whose = visited.user.id, visited.token_id
        first = token_turns.question(visited), run_cap.question(visited.user.id)
        dispatching.look_ahead(connection, whose, keys, at, *first)
        token_turns.take(connection, visited)
        _check_cap(connection, visited)
        run_cap.check(connection, visited.user.id)
        run = run_service.writing(run_id, visited.user.id, token_id=visited.token_id)
        return dispatching.dispatch(connection, request, keys, at, before=[run])

    ticket = in_writing(
        write,
        alone=True,
        is_there=lambda connection, _: doubt.renew(connection, run_id),
        # Its program is told that it failed and asks again, as something new.
        doubted=lambda written: doubt.forgo(written, None),
    )
    answer = make(
        ProgramRun(
            run_id=run_id,
            model=model.name,
            locale=origin.locale,
            request_id=origin.request_id,
            prompt_tokens=ticket.sent.call.prompt_estimate,
            allowance=ticket.sent.allowance,
            keeps_words=visited.keeps_words,
        )
    )
    answer.goes_on = visited.on_disconnect == token_access_service.CONTINUE
    if under and isinstance(answer, Whole):
        answer.keep_with(partial(program_keys.keep, under, run_id))
    run_service.start(answer, ticket)
    return answer


def require_room(visited: Visit) -> None:
    """Before a request counts against anybody's rate: one that the token has no room for is none of its person's.

    Raises TooMany("too_many_runs_of_token"), as `begin` does, which looks again.
    """
    if visited.parallel_requests is not None:
        with fetching() as connection:
            _check_cap(connection, visited)


def estimate(visited: Visit, asked: Asked, origin: Origin) -> int:
    """About how many tokens the prompt is; no provider is asked. Raises as `found` does."""
    return prompts.estimate(_request(visited, asked, found(visited, asked.model), origin, None))


def leave(answer: ProgramAnswer) -> None:
    """Its program has gone, or has all of it: what is still being made ends, and what came is booked, unless it
    `goes_on`.
    """
    if answer.goes_on:
        return
    if live := run_service.live_run(answer.begun.run_id):
        live.stop.stop("left")


def offered(visited: Visit) -> list[ServedModel]:
    """The models that this token may ask for now, each name once, the default one first."""
    named = {
        model.name: model for model in reversed(model_service.available(with_vectors=True)) if _may_ask(visited, model)
    }
    return list(reversed(named.values()))


def found(visited: Visit, name: str) -> ServedModel:
    """By its name, or another one that leads to it; raises as `begin` does.

    The local model answers to its own name alone: a program that asks for another would take its words for that one's.
    """
    return _offered(visited, name)[0]


def _offered(visited: Visit, name: str) -> tuple[ServedModel, Sequence[Any] | None]:
    """The same, and what was read with it of who may be asked."""
    model, rows = model_service.find_offered(name, with_vectors=True)
    if not _may_ask(visited, model):
        raise Forbidden("model_not_allowed", model=name)
    if model.local and name not in {model.id, model.name}:
        raise Invalid("unknown_model", model=name[: model_lists.MAX_NAME_LENGTH])
    return model, rows


def _check_cap(connection: Connection, visited: Visit) -> None:
    """Where its person's turn has been taken two requests of one token are counted one after the other."""
    limit, terms = visited.parallel_requests, {"person": visited.user.id, "token": visited.token_id}
    if limit is not None and (connection.scalar(_COUNT_RUNNING, terms) or 0) >= limit:
        raise TooMany("too_many_runs_of_token", limit=limit, retry_after=RETRY_SECONDS)


def _request(visited: Visit, asked: Asked, model: ServedModel, origin: Origin, run_id: str | None) -> Request:
    return Request(
        user_id=visited.user.id,
        model=model,
        turns=asked.turns,
        thinking=asked.thinking,
        channel=CHANNEL,
        request_id=origin.request_id,
        address=origin.address,
        run_id=run_id,
        token_id=visited.token_id,
        options=asked.options,
        beside=asked.beside,
        max_tokens=asked.max_tokens,
        operation=asked.operation,
    )


def _may_ask(visited: Visit, model: ServedModel) -> bool:
    """A token that is kept to models is not answered by this machine instead."""
    return visited.models is None or folded(model.name) in visited.models
