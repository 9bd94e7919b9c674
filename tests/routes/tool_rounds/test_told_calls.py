"""What readers hear of calls who come later, and what pages ask the database for them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from flask_app.database import utc_now
from flask_app.domain.tools import MOST_LATER_BYTES, MOST_LATER_BYTES_OF_ALL, Call, fitting, told
from flask_app.models import User
from flask_app.services.runs import run_service
from flask_app.services.runs.run_following import REPLAYED
from flask_app.streams import broker
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

CALL = ("sky__weather", OSLO)


def test_without_its_log_the_answer_is_told_with_its_calls(
    weather: Weather, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.script(calling(CALL, text="I look."), Answer("Sunny."))
    begun = called.begin(member)
    wait_until(lambda: not run_service.live_runs())
    broker().forget([begun.run_id])
    events = called.followed(member, begun)
    assert [event.name for event in events] == ["start", "tool", "token", "done"]
    assert (events[0].id > REPLAYED, called.told(events)) == (True, [("sky__weather", "done")])


def test_a_call_that_runs_says_since_when_also_to_those_who_come_later(
    weather: Weather, member: User, upstream: ScriptedUpstream
) -> None:
    weather.is_held = True
    upstream.script(calling(CALL), Answer("Sunny."))
    before = utc_now()
    begun = called.begin(member)
    wait_until(lambda: bool(weather.asked))
    there = utc_now()
    weather.shutdown()
    wait_until(lambda: not run_service.live_runs())
    running, done = [event.data for event in called.followed(member, begun) if event.name == "tool"]
    assert before <= datetime.fromisoformat(running["began_at"]) <= there
    assert "began_at" not in done


def test_another_worker_hears_the_calls_as_they_go(weather: Weather, member: User, upstream: ScriptedUpstream) -> None:
    weather.is_held = True
    upstream.script(calling(CALL, text="I look."), Answer("Sunny."))
    begun = called.begin(member)
    wait_until(lambda: bool(weather.asked))
    frames = run_service.read(member, begun.run_id, after=REPLAYED, locale="en")
    heard: list[tuple[str, str]] = []
    for frame in frames:
        heard += called.told(events_of(frame))
        if heard:
            weather.shutdown()
    assert heard == [("sky__weather", "running"), ("sky__weather", "done")]


def test_a_thread_asks_as_often_for_many_calls_as_for_one(
    weather: Weather,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    def asked(conversation_id: str) -> int:
        with query_count() as queries:
            assert member_client.get(f"/api/conversations/{conversation_id}").status_code == 200
        return len(queries)

    upstream.script(calling(CALL), Answer("Sunny."), calling(*(6 * [CALL])), calling(CALL), Answer("Sunny."))
    place = called.ask(member_client)[0].data["conversation_id"]
    few = asked(place)
    called.ask(member_client, conversation_id=place)
    assert len(called.calls()) == 8
    assert asked(place) == few


def test_all_that_later_questions_are_told_of_results_is_bounded() -> None:
    call = Call(id="1", round=1, server="", tool="t", title="T", arguments="{}", status="done", result="é" * 20_000)
    words = told(24 * [call])
    assert len(words.encode()) < 2 * MOST_LATER_BYTES_OF_ALL
    assert words.count("<call ") == 24
    assert told([]) == ""


def test_what_grows_as_it_is_quoted_is_bounded_as_it_is_told() -> None:
    quotes = '"' * 20_000
    call = Call(id="1", round=1, server="", tool="t", title="T", arguments='{"a":1}', status="done", result=quotes)
    words = told(24 * [call])
    results = [part.split("</result>")[0] for part in words.split("<result>")[1:]]
    assert {result.count("&") - result.count(";") for result in results} == {0}, "no sign is halved"
    assert len(results[0]) <= MOST_LATER_BYTES
    assert sum(map(len, results)) <= MOST_LATER_BYTES_OF_ALL + 24 * len("\n[The rest was cut.]")
    assert len(words) < MOST_LATER_BYTES_OF_ALL + 24 * 200


def test_what_fits_is_told_whole_and_no_letter_is_halved() -> None:
    assert fitting("a\x00b") == "ab"
    assert fitting("é" * 50, 60).endswith("é\n[The rest was cut.]")
