"""What rounds set aside: also of one that is asked elsewhere, and of whatever names a provider gives its calls."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from flask_app.database import reading
from flask_app.domain import tools
from flask_app.models import Attempt, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.runs import run_service
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_faults import Status
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

LONG = "x" * 128


def named(call_id: str) -> Answer:
    """A round whose one call has this id."""
    function = {"name": "sky__weather", "arguments": OSLO}
    piece = {"index": 0, "id": call_id, "type": "function", "function": function}
    return replace(calling(("sky__weather", OSLO)), deltas=({"tool_calls": [piece]},))


def reserved() -> list[int]:
    """Tokens that each attempt set aside, the oldest first."""
    with reading() as session:
        found = session.scalars(select(Attempt.reserved_tokens).order_by(Attempt.id)).all()
    return [tokens or 0 for tokens in found]


def estimates() -> list[int]:
    with reading() as session:
        return list(session.scalars(select(Attempt.prompt_estimate).order_by(Attempt.id)))


def test_an_open_attempt_holds_the_longest_results_and_its_estimate_is_that_of_those_that_came(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None]
) -> None:
    weather.is_held = True
    upstream.script(named("x"), Answer("Sunny."))
    called.begin(member)
    wait_until(lambda: bool(weather.asked))
    first, held = estimates(), reserved()
    assert first[0] > 0
    assert first[1] == 0, "nobody is asked by it yet"
    assert held[1] - held[0] > tools.MOST_RESULT_BYTES
    weather.shutdown()
    wait_until(lambda: not run_service.live_runs())
    assert estimates()[1] > first[0]
    assert reserved() == held
    agreed()


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_round_that_is_asked_elsewhere_has_room_for_the_ids_of_all_results(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None], rounds: int
) -> None:
    """Each id stands in the prompt twice: in the model's turn, and beside the result."""
    taken = []
    for call_id in ("x", LONG):
        upstream.script(*(named(f"{call_id[:-1]}{place}") for place in range(rounds)), Status(503), Answer("Sunny."))
        called.begin(member)
        wait_until(lambda: not run_service.live_runs())
        taken.append(reserved()[-1])
    short, long = taken
    assert [call.call_id for call in called.calls()] == [
        *(str(place) for place in range(rounds)),
        *(f"{LONG[:-1]}{place}" for place in range(rounds)),
    ]
    assert long - short == 2 * rounds * (len(LONG) - 1)
    agreed()


class Held:
    """While a round calls, a balance turns out to have next to nothing."""

    def __init__(self, person: User) -> None:
        self._place = Place(scope="user", scope_id=person.id, unit="tokens", period="prepaid")

    def play(self, reply: Reply, request: Received) -> None:
        budget_admin_service.add(Actor(None), self._place, 50, reason="paid")
        named("x").play(reply, request)


def test_a_balance_without_room_for_another_round_says_so_in_whole_words(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None]
) -> None:
    upstream.script(Held(member))
    begun = called.begin(member)
    wait_until(lambda: not run_service.live_runs())
    assert called.answer().error_code == "balance_exhausted"
    assert "a budget has too little left" in called.followed(member, begun)[-1].data["message"]
    agreed()
