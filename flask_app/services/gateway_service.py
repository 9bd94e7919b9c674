"""Answers to programs: asked for with a personal access token, made and metered as the chat's are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.engine import Connection

from flask_app.database import in_writing, new_id
from flask_app.domain.serving import ServedModel
from flask_app.errors import Forbidden
from flask_app.services import (
    chat_service,
    dispatching,
    doubt,
    failover,
    model_service,
    run_service,
    token_service,
)
from flask_app.services.chat_service import Origin
from flask_app.services.dispatching import Ticket
from flask_app.services.program_answers import ProgramAnswer, ProgramRun
from flask_app.services.prompts import Request, Turn
from flask_app.services.token_service import Visit

CHANNEL = "api"

Answer = TypeVar("Answer", bound=ProgramAnswer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a program asks: `options` go to the provider as they are, `max_tokens` bounds the answer."""

    model: str
    turns: Sequence[Turn]
    options: Mapping[str, object]
    max_tokens: int | None


def begin(visited: Visit, asked: Asked, origin: Origin, make: Callable[[ProgramRun], Answer]) -> Answer:
    """Start the answer, which `make` makes of its run.

    Raises what sending a message does, Forbidden("model_not_allowed") where the token is kept to others, and
    TokenRequired where it was revoked in this moment.
    """
    model = found(visited, asked.model)
    keys = failover.candidates_for(model)
    begun = ProgramRun(run_id=new_id(), model=model.name, locale=origin.locale)
    request = Request(
        user_id=visited.user.id,
        model=model,
        turns=asked.turns,
        thinking=None,
        channel=CHANNEL,
        request_id=origin.request_id,
        address=origin.address,
        run_id=begun.run_id,
        token_id=visited.token_id,
        options=asked.options,
        max_tokens=asked.max_tokens,
    )

    def write(connection: Connection) -> Ticket:
        chat_service.check_cap(connection, visited.user)
        token_service.hold(connection, visited.token_id)
        run_service.write(connection, begun.run_id, visited.user.id, token_id=visited.token_id)
        return dispatching.dispatch(connection, request, keys)

    ticket = in_writing(
        write,
        alone=True,
        is_there=lambda connection, _: doubt.renew(connection, begun.run_id),
        # Its program is told that it failed and asks again, as something new.
        doubted=lambda written: doubt.forgo(written, None),
    )
    answer = make(begun)
    run_service.start(answer, ticket)
    return answer


def leave(answer: ProgramAnswer) -> None:
    """Its program has gone, or has all of it: what is still being made ends, and what came is booked."""
    if live := run_service.live_run(answer.begun.run_id):
        live.stop.stop("left")


def offered(visited: Visit) -> list[ServedModel]:
    """The models that this token may ask for now, each name once, the default one first."""
    named = {model.name: model for model in reversed(model_service.available()) if _may_ask(visited, model)}
    return list(reversed(named.values()))


def found(visited: Visit, name: str) -> ServedModel:
    """By its name, or another one that leads to it; raises as `begin` does."""
    model = model_service.find(name)
    if not _may_ask(visited, model):
        raise Forbidden("model_not_allowed", model=name)
    return model


def _may_ask(visited: Visit, model: ServedModel) -> bool:
    return visited.models is None or model.name in visited.models
