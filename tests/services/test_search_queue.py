"""What is added to the index next: in bounded steps, the new before the old, and nothing twice."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import Select, func, insert, select, text, update

from flask_app.database import fetching, new_id, transaction, writing
from flask_app.models import Conversation, Message, Run, SearchDocument, SearchPosting, SearchProgress, User
from flask_app.services.conversations import conversation_service
from flask_app.services.search import search_index, search_queue
from tests.support.searching import change, conversation_of, count, found, run_on, say, say_long_ago

QueryCount = Callable[[], AbstractContextManager[list[str]]]


def test_old_conversations_are_added_in_bounded_steps(member: User) -> None:
    ids = [id_ for number in range(30) for id_ in say(member, f"question {number}", "x" * 3000, f"more {number}")]
    search_index.step()  # where to begin
    assert search_index.step()
    assert 1 <= len(found(member, "question")) < 30
    search_index.catch_up()
    assert len(found(member, "question")) == 30
    assert count(SearchDocument) == len(ids) + 30


def test_what_was_seen_is_not_looked_at_again_but_for_clocks_that_go_wrong(member: User) -> None:
    say(member, "first")
    with transaction() as session:
        session.execute(update(SearchProgress).values(upto="~"))
    search_index.catch_up()
    assert found(member, "first") == []
    search_index.catch_up(far=True)
    assert len(found(member, "first")) == 1


def test_progress_never_passes_an_answer_that_is_being_written(member: User) -> None:
    old = "0" * 25 + "1"
    with transaction() as session:
        session.add(Conversation(id=old, user_id=member.id, title="t"))
        session.flush()
        session.add(Message(id=old, conversation_id=old, role="assistant", text="", status="running"))
    run_on(old, member, "running")
    search_index.catch_up()
    change(old, text="at last", status="complete")
    search_index.catch_up()
    assert found(member, "last") == [old]


def test_what_is_new_is_added_before_what_was_there_and_the_newest_of_that_first(member: User) -> None:
    old = say_long_ago(member, *[f"harbour {'x' * 3000}"] * 5)
    search_index.step()
    assert search_index.step()
    assert found(member, "harbour") == old[:2:-1]
    (new,) = say(member, "harbour")
    assert search_index.step()
    assert found(member, "harbour") == [new, *old[:2:-1]]
    search_index.catch_up()
    assert found(member, "harbour") == [new, *old[::-1]]
    assert not search_index.step()


def test_an_old_answer_that_is_gone_on_with_meanwhile_is_not_lost(member: User) -> None:
    old = say_long_ago(member, "harbour", *["x" * 5000] * 3)
    search_index.step()
    change(old[0], status="running")
    run = run_on(old[0], member, "running")
    search_index.catch_up()
    assert found(member, "harbour") == []
    change(old[0], status="complete")
    with transaction() as session:
        session.execute(update(Run).where(Run.id == run).values(status="complete"))
    search_index.catch_up()
    assert found(member, "harbour") == old[:1]


def test_what_is_deleted_goes_before_anything_is_added(member: User) -> None:
    (gone,) = say(member, "harbour")
    search_index.catch_up()
    conversation_service.remove(member, conversation_of(gone))
    (kept,) = say(member, "lighthouse")
    assert search_index.forget()
    assert (count(SearchDocument), count(SearchPosting)) == (0, 0)
    search_index.catch_up()
    assert found(member, "lighthouse") == [kept]


def test_what_is_gone_is_looked_for_among_documents_without_a_conversation(app: object) -> None:
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            query = search_queue._GONE.compile(connection, compile_kwargs={"literal_binds": True})
            plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
            assert ["ix_search_documents_conversation_id" in each for each in plan] == [True]


def test_a_step_is_so_many_characters_of_any_script(member: User) -> None:
    say(member, *["灯" * 2_500] * 8)
    search_index.step()
    search_index.step()
    assert count(SearchDocument) == 3 + 1


def test_a_look_when_nothing_has_happened_writes_nothing(member: User, query_count: QueryCount) -> None:
    say(member, "harbour")
    search_index.catch_up()
    with query_count() as statements:
        search_index.catch_up()
    assert 0 < len(statements) < 12
    assert not [each for each in statements if not each.startswith(("SELECT", "BEGIN"))]


def test_the_index_begins_with_its_one_row(app: object) -> None:
    with fetching() as connection:
        assert connection.scalar(select(func.count()).select_from(SearchProgress)) == 1


@pytest.mark.parametrize("query", [search_queue._NEW, search_queue._OLD])
def test_a_server_reads_messages_by_their_ids_and_not_all_conversations_first(
    member: User, query: Select[tuple[object, ...]]
) -> None:
    with writing() as connection:
        if connection.dialect.name == "sqlite":
            return
        talks = [{"id": new_id(), "user_id": member.id, "title": "t"} for _ in range(500)]
        connection.execute(insert(Conversation), talks)
        said = {"role": "user", "text": "t" * 500}
        turns = [{"id": new_id(), "conversation_id": talk["id"], **said} for talk in talks for _ in range(6)]
        connection.execute(insert(Message), turns)
    with fetching() as connection:
        connection.execute(text("ANALYZE TABLE conversations, messages")).all()
        terms = query.params({"after": "", "since": "~"}).compile(connection, compile_kwargs={"literal_binds": True})
        first, *_ = connection.exec_driver_sql(f"EXPLAIN {str(terms).replace('%', '%%')}").mappings()
        assert (first["table"], first["key"]) == ("messages", "PRIMARY")
