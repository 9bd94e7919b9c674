"""/api/conversations/import: how much may come, and what it may take."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain.files import MOST_AT_ONCE
from flask_app.errors import Forbidden, SignInRequired
from flask_app.models import Conversation, Folder, ImportedDaily, KeptFile, Message, MessageFile, User
from flask_app.services.conversations import conversation_service
from flask_app.services.people import account_deletion
from flask_app.services.portability import conversation_import, import_quota, message_tree
from flask_app.services.portability.conversation_format import Said, Talk
from tests.conftest import PASSWORD
from tests.routes.test_conversation_imports import IMPORT, sent, talk
from tests.support.clients import PageClient

Pairs = list[tuple[str, str | None]]  # ids and whom they follow
HALF = message_tree.MOST_MESSAGES // 2
SHAPES: dict[str, Pairs] = {
    "many of one id that many follow": [*[("1", None)] * HALF, *((f"x{n}", "1") for n in range(HALF))],
    "a star": [("1", None), *((f"x{n}", "1") for n in range(2 * HALF - 1))],
    "a ring": [(f"x{n}", f"x{(n + 1) % (2 * HALF)}") for n in range(2 * HALF)],
}


@pytest.mark.security("imports-bounded")
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_takes_long(member_client: PageClient, shape: str) -> None:
    """With the square of its messages each of these would take minutes."""
    said = [talk()["messages"][0] | {"id": own, "parent_id": parent} for own, parent in SHAPES[shape]]
    began = time.thread_time()
    (outcome,) = sent(member_client, {"conversations": [talk(messages=said)]})
    assert outcome["outcome"] == ("imported" if shape == "a star" else "refused")
    assert time.thread_time() - began < 20


@pytest.mark.security("imports-bounded")
@pytest.mark.parametrize(
    "used", [{"text_bytes": import_quota.MOST_BYTES - 12}, {"messages": import_quota.MOST_MESSAGES - 2}]
)
def test_a_day_has_an_end(member: User, member_client: PageClient, used: dict[str, int]) -> None:
    sent(member_client, {"conversations": [talk()]})
    with transaction() as session:
        session.execute(update(ImportedDaily).values(used))
    both = {"conversations": [talk(id="second"), talk(id="third"), talk(id="fourth")]}
    refused = member_client.post(IMPORT, json=both, buffered=True)
    assert (refused.status_code, refused.json["error"]["code"]) == (429, "import_too_much_today")  # type: ignore[index]
    assert "Retry-After" not in refused.headers, "the page would wait for the day's end"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 3, "what had come in stays"
    with transaction() as session:
        counted = session.scalars(select(ImportedDaily)).one()
        counted.day = yesterday = counted.day - timedelta(days=1)
    assert [each["outcome"] for each in sent(member_client, both)] == ["known", "known", "imported"]
    with reading() as session:
        today = session.scalars(select(ImportedDaily)).one()
    assert (today.text_bytes, today.messages) == (len("hello"), 1)
    assert today.day > yesterday


def test_what_is_there_already_counts_for_nothing(member_client: PageClient) -> None:
    for _ in range(2):
        sent(member_client, {"conversations": [talk()]})
    with reading() as session:
        assert session.scalars(select(ImportedDaily.messages)).one() == 1


@pytest.mark.security("disabled-is-out")
def test_nothing_comes_in_any_more_of_whoever_is_disabled_or_gone(member: User, member_client: PageClient) -> None:
    """As for a request that was under way."""
    now = utc_now()
    said = Said(id="1", parent_id=None, role="user", text="hi", created_at=now)
    late = Talk(id="late", title="late", created_at=now, updated_at=now, messages=[said])
    assert member_client.post("/api/me/delete", json={"password": PASSWORD}).status_code == 204
    with pytest.raises(Forbidden, match="account_disabled"):
        conversation_import.bring_in(member, [], [late])
    account_deletion.finish()
    with pytest.raises(SignInRequired):
        conversation_import.bring_in(member, [], [late])
    with reading() as session:
        assert session.scalars(select(Conversation)).all() == []


def test_a_folders_name_and_a_failure_are_what_they_could_be_here(member_client: PageClient) -> None:
    first = talk()["messages"][0]
    failed = {"role": "assistant", "parent_id": "1", "status": "failed"}
    codes = ["upstream_timeout", "wrong_password", "upstream_none_such", "interrupted"]
    answers = [first | failed | {"id": f"a{n}", "text": code, "error_code": code} for n, code in enumerate(codes)]
    messages = [first | {"error_code": "interrupted"}, *answers]
    folder = {"id": "f", "name": "a\x00b\u202e\x1b c", "created_at": "2026-01-01T00:00:00Z"}
    sent(member_client, {"conversations": [talk(folder_id="f", messages=messages)], "folders": [folder]})
    with reading() as session:
        kept = {each.text: each.error_code for each in session.scalars(select(Message))}
        assert session.scalars(select(Folder.name)).all() == ["a b c"]
    wanted = {code: code if code in {"upstream_timeout", "interrupted"} else None for code in codes}
    assert kept == {"hello": None} | wanted


@pytest.mark.security("imports-bounded")
def test_long_names_take_no_longer_than_short_ones(member_client: PageClient) -> None:
    """Read to its end by each of them, the folder's name would take half a minute."""
    folder = {"id": "f", "name": f"Poems{' ' * 4_000_000}", "created_at": "2026-01-01T00:00:00Z"}
    many = [talk(id=str(n), folder_id="f", title=f"T{n} {'x' * 10_000}") for n in range(200)]
    began = time.thread_time()
    outcomes = sent(member_client, {"conversations": many, "folders": [folder]})
    assert {each["outcome"] for each in outcomes} == {"imported"}
    assert time.thread_time() - began < 10
    with reading() as session:
        assert session.scalars(select(Folder.name)).all() == ["Poems"]
        longest = session.scalars(select(func.max(func.length(Conversation.title)))).one()
    assert longest == conversation_service.MAX_TITLE


@pytest.mark.security("imports-bounded")
def test_files_that_are_named_are_few_have_short_names_and_count(member_client: PageClient) -> None:
    named = [
        {"id": f"{n}", "name": f"{n}{'é' * 1000}", "kind": "text", "content_type": "text/plain", "bytes": 1}
        for n in range(1000)
    ]
    question = talk()["messages"][0] | {"text": "", "files": named}
    sent(member_client, {"conversations": [talk(messages=[question])]})
    with reading() as session:
        names = session.scalars(select(MessageFile.name)).all()
        assert sorted(session.scalars(select(KeptFile.name))) == sorted(names)
        counted = session.scalars(select(ImportedDaily.messages)).one()
    assert len(names) == MOST_AT_ONCE
    assert all(len(name) <= 128 for name in names)
    assert counted == 1 + MOST_AT_ONCE
