"""A question that was looked up, later: answered once more, gone on with, edited, read again, elsewhere."""

from typing import Any

import pytest
from sqlalchemy import update

from flask_app.database import transaction
from flask_app.models import Message, Run, User, WebSearch
from flask_app.services.chat import regenerate_service
from flask_app.services.chat.regenerate_service import Wish
from flask_app.services.runs import run_service
from flask_app.services.runs.run_following import REPLAYED
from flask_app.streams.memory import MemoryBroker
from tests.support import assisted, files, ledger_oracle, web_searching
from tests.support.another_worker import Following, Other
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of, text_of
from tests.support.scripted_upstream import Answer, Gate, Pages, ScriptedUpstream, Status
from tests.support.together import at_once
from tests.support.upstream_journal import SEARCH
from tests.support.web_searching import JSON, ORIGIN, QUESTION


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    return web_searching.switch_on()


def again(client: PageClient, question_id: str, **fields: Any) -> Any:
    return client.post(f"/api/messages/{question_id}/answers", json={"search": True} | fields, headers=JSON)


def told(upstream: ScriptedUpstream) -> list[str]:
    return [str(chat.body["messages"][-1]["content"]) for chat in upstream.journal.chats]


def test_what_was_found_is_told_again_and_not_looked_up_again(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = web_searching.ask_whole(member_client)
    assert again(member_client, first["user_message_id"]).json["status"] == "complete"
    assert again(member_client, first["user_message_id"], search=False).json["status"] == "complete"
    assert len(upstream.journal.searches) == 1
    assert len(set(told(upstream))) == 1
    ledger_oracle.check(upstream.journal, ())


def test_so_is_what_an_assistant_knows_in_the_same_place(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    shelves = "\n\n".join(f"Shelf {number} holds {'many books ' * 60}and a lighthouse." for number in range(200))
    known = [files.kept(member_client, shelves.encode(), "a.txt")["id"]]
    assistant = assisted.keep(member_client, files=known)
    first = web_searching.ask_whole(member_client, assistant_id=assistant["id"])
    assert again(member_client, first["user_message_id"]).json["status"] == "complete"
    assert len(set(told(upstream))) == 1
    assert 0 == told(upstream)[0].index("<web_search") < told(upstream)[0].index('<document name="a.txt"')


def test_what_failed_or_found_nothing_is_looked_up_again_in_its_place(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Status(500), Pages([]), path=SEARCH)
    first = web_searching.ask_whole(member_client)
    states = []
    for _ in range(2):
        states.append(web_searching.searches()[0].status)
        again(member_client, first["user_message_id"])
    assert states == ["failed", "empty"]
    (search,) = web_searching.searches()
    assert (search.status, search.error_code, len(web_searching.sources())) == ("found", None, 2)
    assert [words.startswith("[The web was") for words in told(upstream)] == [True, True, False]
    assert [words.count("web was") for words in told(upstream)] == [1, 1, 0]
    ledger_oracle.check(upstream.journal, ())


def test_in_many_tabs_at_once_it_is_looked_up_once(
    provider_id: str, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    gate = Gate(0)
    upstream.script(Status(500), Pages(gate=gate), path=SEARCH)
    wish = Wish(question_id=web_searching.ask_whole(member_client)["user_message_id"], search=True)
    told = at_once(5, lambda _: regenerate_service.regenerate(member, wish, ORIGIN))
    gate.open()
    wait_until(lambda: not run_service.live_runs())
    assert sorted(getattr(each, "code", "begun") for each in told) == ["answer_running"] * 4 + ["begun"]
    assert [each.status for each in web_searching.searches()] == ["found"]
    assert (len(upstream.journal.searches), len(web_searching.sources())) == (2, 2)
    ledger_oracle.check(upstream.journal, ())


def test_beside_a_file_the_bytes_are_the_same_later(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    sent: Any = member_client.post("/api/files?name=n.txt", data=b"alpha beta", content_type="text/plain")
    first = web_searching.ask_whole(member_client, files=[sent.json["id"]])
    web_searching.ask_whole(member_client, "And?", conversation_id=first["conversation_id"], search=False)
    one, two = (chat.body["messages"] for chat in upstream.journal.chats)
    assert one[0] == two[0]
    assert "alpha beta" in one[0]["content"]
    assert one[0]["content"].startswith("<web_search ")


def test_a_question_that_was_not_looked_up_can_be(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = web_searching.ask_whole(member_client, search=False)
    reply = member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={"search": True})
    assert [event.name for event in events_of(reply.data)][:3] == ["start", "searching", "sources"]
    assert told(upstream)[0] == QUESTION
    assert told(upstream)[1].startswith("<web_search query=")


def test_somebody_elses_question_is_not_found(
    provider_id: str, member_client: PageClient, other_client: PageClient
) -> None:
    first = web_searching.ask_whole(member_client, search=False)
    assert again(other_client, first["user_message_id"]).status_code == 404
    assert web_searching.searches() == []


def test_where_nobody_searches_any_more_it_is_refused_and_what_was_found_is_told(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = web_searching.ask_whole(member_client)
    web_searching.choose("")
    refused = again(member_client, first["user_message_id"])
    assert (refused.status_code, error_code(refused)) == (403, "search_off")
    again(member_client, first["user_message_id"], search=False)
    assert len(set(told(upstream))) == 1


def test_an_edited_question_is_searched_for_by_itself(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = web_searching.ask_whole(member_client)
    place = {"conversation_id": first["conversation_id"], "parent_id": None}
    web_searching.ask(member_client, "How old is it?", **place)
    assert [request.body["query"] for request in upstream.journal.searches] == [QUESTION, "How old is it?"]
    assert [search.status for search in web_searching.searches()] == ["found"] * 2


def test_going_on_searches_for_nothing_and_tells_what_was_found(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("19 me", finish_reason="length"))
    first = web_searching.ask_whole(member_client)
    assert member_client.post(f"/api/runs/{first['run_id']}/continue", json={}, headers=JSON).status_code == 200
    assert len(upstream.journal.searches) == 1
    one, two = (chat.body["messages"][0]["content"] for chat in upstream.journal.chats)
    assert one == two


def test_a_reader_who_comes_later_hears_what_was_found(
    provider_id: str, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    events = web_searching.ask(member_client)
    run_id = events[0].data["run_id"]
    wait_until(lambda: not run_service.live_runs())
    replayed = events_of(member_client.get(f"/api/runs/{run_id}/events?after={REPLAYED}").data)
    assert [event.name for event in replayed] == ["start", "sources", "token", "done"]
    assert replayed[1].data == events[2].data
    assert text_of(replayed) == text_of(events)


def test_a_reader_of_another_instances_answer_hears_of_its_search_as_it_goes(
    app: object, member: User, member_client: PageClient
) -> None:
    other = Other(MemoryBroker())
    other.begin(member)
    with transaction() as session:
        question = session.query(Message.id).filter(Message.role == "user").scalar()
        session.execute(update(Run).values(user_message_id=question))
        session.add(WebSearch(message_id=question, engine="deepseek", query="high?", status="running"))
    reader = Following(member_client, other.run_id, after=REPLAYED)
    wait_until(lambda: len(reader.events) == 2)
    with transaction() as session:
        session.execute(update(WebSearch).values(status="empty"))
    wait_until(lambda: len(reader.events) == 3)
    other.end(text="whole")
    events = reader.wait()
    assert [event.name for event in events] == ["start", "searching", "sources", "token", "done"]
    assert (events[1].data, events[2].data["status"]) == ({"query": "high?"}, "empty")
