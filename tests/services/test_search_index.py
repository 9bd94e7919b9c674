"""What is found of what was written, and by whom; what is deleted leaves nothing."""

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, writing
from flask_app.models import Conversation, Run, SearchDocument, SearchPosting, User
from flask_app.services.completion.attempts import Outcome
from flask_app.services.conversations import conversation_service
from flask_app.services.runs import answer_service
from flask_app.services.search import search_index
from tests.support.searching import change, conversation_of, count, found, run_on, say


def test_what_is_written_is_found_by_its_owner_alone(member: User, admin: User) -> None:
    question, answer = say(member, "什么是复利？", "Compound interest, 复利, is interest on interest.", title="复利")
    search_index.catch_up()
    assert found(member, "复利") == [None, answer, question]
    assert found(member, "compound int") == [answer]
    assert found(admin, "复利") == []


def test_what_is_being_written_is_found_once_it_has_ended(member: User) -> None:
    (question,) = say(member, "tell me about lighthouses")
    (answer,) = say(member, "lighthouses shine", conversation=conversation_of(question), status="running")
    search_index.catch_up()
    assert found(member, "lighthouses") == [question]
    change(answer, status="complete", text="lighthouses shine at night")
    search_index.catch_up()
    assert found(member, "night") == [answer]


def test_an_answer_that_is_gone_on_with_is_found_by_its_new_words(member: User) -> None:
    _, answer = say(member, "count", "one two")
    run_on(answer, member)
    search_index.catch_up()
    change(answer, status="running")
    later = run_on(answer, member, "running")
    search_index.catch_up()
    change(answer, status="complete", text="one two three")
    with transaction() as session:
        session.execute(update(Run).where(Run.id == later).values(status="complete"))
    assert found(member, "three") == []
    search_index.catch_up()
    assert found(member, "three") == [answer]
    assert found(member, "two") == [answer]
    assert not search_index.step()


def test_a_new_title_is_found_at_once_and_the_old_one_is_not(member: User) -> None:
    (question,) = say(member, "hello", title="Lighthouses")
    search_index.catch_up()
    conversation_service.rename(member, conversation_of(question), "灯塔 beacons")
    assert found(member, "lighthouses") == []
    assert found(member, "灯塔") == [None]
    search_index.catch_up()
    assert found(member, "beacons") == [None]


def test_a_title_that_another_version_has_changed_is_found_after_the_next_message(member: User) -> None:
    (question,) = say(member, "hello", title="Lighthouses")
    search_index.catch_up()
    conversation = conversation_of(question)
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.id == conversation).values(title="Beacons"))
    assert found(member, "lighthouses") == []
    say(member, "again", conversation=conversation)
    search_index.catch_up()
    assert found(member, "beacons") == [None]


@pytest.mark.security("deleted-is-gone")
def test_what_is_deleted_leaves_nothing_in_the_index(member: User) -> None:
    (kept,) = say(member, "a secret harbour", title="Kept")
    (deleted,) = say(member, "a secret lighthouse 秘密", title="Gone")
    search_index.catch_up()
    conversation_service.remove(member, conversation_of(deleted))
    assert found(member, "secret") == [kept]
    search_index.catch_up()
    with reading() as session:
        words = set(session.scalars(select(SearchPosting.word)))
        numbers = session.execute(select(SearchPosting.numbers).where(SearchPosting.word == "secret")).scalar_one()
    assert words == {"a", "secret", "harbour", "kept"}
    assert len(numbers) == 2
    conversation_service.remove(member, conversation_of(kept))
    search_index.catch_up()
    assert (count(SearchDocument), count(SearchPosting)) == (0, 0)


def test_nothing_stays_of_a_person_who_is_gone(member: User) -> None:
    say(member, "a secret harbour")
    search_index.catch_up()
    assert count(SearchPosting)
    with transaction() as session:
        session.delete(session.get(User, member.id))
    search_index.catch_up()
    assert (count(SearchDocument), count(SearchPosting)) == (0, 0)


def test_words_that_are_given_back_to_an_answer_are_found(member: User) -> None:
    _, answer = say(member, "count", "one two", title="Numbers")
    run = run_on(answer, member, "interrupted")
    change(answer, status="interrupted")
    search_index.catch_up()
    outcome = Outcome(text_parts=["one two three"])
    with writing() as connection:
        answer_service.restore(connection, outcome, run_id=run, message_id=answer)
    search_index.catch_up()
    assert found(member, "three") == [answer]
    assert found(member, "one") == [answer]
    assert count(SearchDocument) == 3


def test_answers_come_first_and_a_slow_disk_does_not_hold_the_index_up_for_long() -> None:
    assert search_index.pause_after(0.01, live=0) == search_index.PAUSE_SECONDS
    assert search_index.pause_after(0.01, live=1) == pytest.approx(0.21)
    assert search_index.pause_after(0.01, live=20) == pytest.approx(0.4)
    assert search_index.pause_after(3, live=20) == search_index.LONGEST_PAUSE
