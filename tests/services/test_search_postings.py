"""How the index is written: by several transactions and several workers, and only what has changed."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from flask_app.database import fetching, reading, writing
from flask_app.models import SearchDocument, SearchPosting, User
from flask_app.services.completion.attempts import Outcome
from flask_app.services.conversations import conversation_service
from flask_app.services.runs import answer_service
from flask_app.services.search import search_index, search_postings, search_service
from flask_app.services.search.search_postings import Change
from flask_app.services.search.search_queue import Found
from tests.support.searching import change, conversation_of, count, found, run_on, say

QueryCount = Callable[[], AbstractContextManager[list[str]]]


def test_a_long_message_is_added_by_several_transactions_and_shown_once_it_is_whole(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (message,) = say(member, " ".join(f"w{number}" for number in range(10_000)), title="Long")
    written, write = [], search_postings.write

    def counted(connection: Connection, changes: Sequence[Change]) -> None:
        written.append(sum(each.work for each in changes))
        write(connection, changes)

    monkeypatch.setattr(search_postings, "write", counted)
    while 0 <= sum(written) < 8_000:
        search_index.step()
        assert found(member, "w1 w2") == [], "a part of it must not be taken for the whole"
    search_index.catch_up()
    assert sum(written) == 10_001
    assert max(written) <= search_index.STEP_WORDS
    assert found(member, "w1 w9999") == [message]
    with reading() as session:
        assert set(map(len, session.scalars(select(SearchPosting.numbers)))) == {2}


def test_a_long_message_that_is_deleted_half_way_leaves_nothing(member: User) -> None:
    (message,) = say(member, " ".join(f"w{number}" for number in range(10_000)))
    for _ in range(3):
        search_index.step()
    assert 0 < count(SearchPosting) < 10_000
    conversation_service.remove(member, conversation_of(message))
    assert search_index.forget()
    assert 0 < count(SearchPosting) < 10_000, "what is deleted goes piece by piece too"
    search_index.catch_up()
    assert (count(SearchDocument), count(SearchPosting)) == (0, 0)


def test_of_many_long_messages_that_are_deleted_few_are_unpacked_at_a_time(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " ".join(f"w{number}" for number in range(3_000))
    first, *_ = say(member, *[text] * 6)
    search_index.catch_up()
    conversation_service.remove(member, conversation_of(first))
    unpacked, unpack = [], search_postings.unpacked

    def counted(words: bytes | None) -> frozenset[str]:
        unpacked.append(words)
        return unpack(words)

    monkeypatch.setattr(search_postings, "unpacked", counted)
    assert search_index.forget()
    assert 0 < len(unpacked) <= 3
    search_index.catch_up()
    assert (count(SearchDocument), count(SearchPosting)) == (0, 0)


def test_an_answer_that_goes_on_has_only_its_new_words_written(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    _, answer = say(member, "count", "one two three")
    run_on(answer, member)
    search_index.catch_up()
    change(answer, text="one two three four")
    run_on(answer, member)
    written, write = [], search_postings.write

    def counted(connection: Connection, changes: Sequence[Change]) -> None:
        written.append(sum(each.work for each in changes))
        write(connection, changes)

    monkeypatch.setattr(search_postings, "write", counted)
    search_index.catch_up()
    assert written == [1]
    assert found(member, "four") == [answer]


def test_what_is_about_to_be_written_gives_way_to_words_that_are_given_back(
    member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (answer,) = say(member, "one two", status="interrupted")
    run = run_on(answer, member, "interrupted")
    changes = search_index._changes

    def restored(found: Found, texts: dict[str, str]) -> tuple[list[Change], bool]:
        if not texts:
            return [], True
        monkeypatch.setattr(search_index, "_changes", changes)
        outcome = Outcome(text_parts=["one two three"])
        with writing() as connection:
            answer_service.restore(connection, outcome, run_id=run, message_id=answer)
        return changes(found, texts)

    monkeypatch.setattr(search_index, "_changes", restored)
    search_index.catch_up()
    search_index.catch_up()
    assert found(member, "three") == [answer]


def test_rows_that_refer_to_a_conversation_are_written_last(member: User, query_count: QueryCount) -> None:
    say(member, "harbour", "lights")
    with query_count() as statements:
        search_index.catch_up()
    written = [each.split("(")[0].strip() for each in statements if not each.startswith(("SELECT", "BEGIN"))]
    place = next(number for number, each in enumerate(written) if "INSERT INTO search_documents" in each)
    assert "search_postings" in written[place - 1]
    assert all("search_postings" not in each for each in written[place:])


def test_on_sqlite_words_lie_in_the_place_of_their_key(app: object) -> None:
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            tables = text("SELECT sql FROM sqlite_master WHERE name = 'search_postings'")
            assert "WITHOUT ROWID" in connection.scalar(tables)


def test_two_workers_add_everything_once(member: User) -> None:
    for number in range(40):
        say(member, f"harbour {number}", f"boat {number}")
    workers = [threading.Thread(target=search_index.catch_up) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    search_index.catch_up()
    hits = found(member, "harbour")
    assert len(hits) == len(set(hits)) == 40
    assert count(SearchDocument) == 80 + 40
    with reading() as session:
        assert set(map(len, session.scalars(select(SearchPosting.numbers).where(SearchPosting.word == "boat")))) == {80}


def test_a_step_that_another_has_overtaken_writes_nothing(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    say(member, "harbour")
    changes = search_index._changes

    def overtaken(*args: object) -> tuple[list[Change], bool]:
        monkeypatch.setattr(search_index, "_changes", changes)
        search_index.catch_up()
        return changes(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(search_index, "_changes", overtaken)
    assert not search_index.step(), "the rest is the other's"
    assert len(found(member, "harbour")) == 1
    assert count(SearchDocument) == 2


def test_blocks_follow_each_other(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_postings, "BLOCK", 3)
    monkeypatch.setattr(search_service, "BLOCK", 3)
    ids = say(member, *["harbour"] * 50)
    search_index.catch_up()
    assert found(member, "harbour") == ids[::-1]


def test_numbers_are_spelled_in_order() -> None:
    spelled = [search_postings.digits_of(number) for number in range(search_postings.BLOCK)]
    assert spelled == sorted(spelled)
    assert [search_postings.number_of(2, mark) for mark in search_postings.marks("".join(spelled))] == list(
        range(8192, 12288)
    )
