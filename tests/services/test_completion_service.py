"""The metered door, where no route can reach: a stop that comes before the provider is asked."""

from sqlalchemy import select

from flask_app.database import in_writing, reading
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services import completion_service, model_service
from flask_app.services.completion_service import Completion, Request, StopSignal, Turn
from tests.support.scripted_upstream import ScriptedUpstream


def test_a_stop_before_the_provider_is_asked_costs_nothing(member: User, upstream: ScriptedUpstream) -> None:
    model = model_service.find(None)
    request = Request(
        user_id=member.id,
        model=model,
        turns=[Turn("user", "hello")],
        thinking=False,
        channel="chat",
        request_id="r",
        address="127.0.0.1",
    )
    candidates = completion_service.candidates_for(model)
    stop = StopSignal()
    ticket = in_writing(lambda connection: completion_service.dispatch(connection, request, candidates))
    completion = Completion(ticket, stop)
    stop.stop("stopped")
    assert list(completion.events()) == []
    assert completion.settle(lambda connection, outcome: None) is None
    assert completion.outcome.status == "stopped"
    assert not upstream.journal.chats
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["released"]
        assert session.scalars(select(TokenUsage)).all() == []
