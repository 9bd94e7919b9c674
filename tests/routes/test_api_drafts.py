"""Drafts: kept for a person's other devices until their message is sent."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from flask_app.database import reading, transaction
from flask_app.models import Conversation, KeptDraft, Run, User
from flask_app.services.chat.chat_service import MAX_MESSAGE_BYTES
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.listing import fill
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.together import at_once

NEW = "/api/draft"
ABSENT = "/api/conversations/" + "0" * 26 + "/draft"


def of(conversation_id: str) -> str:
    return f"/api/conversations/{conversation_id}/draft"


def keep(client: PageClient, path: str, text: str, key: str = "k1") -> Any:
    return client.put(path, json={"text": text, "key": key})


def kept(client: PageClient, path: str) -> str | None:
    draft = client.get(path).json["draft"]  # type: ignore[index]
    return draft["text"] if draft else None


def send(client: PageClient, text: str, key: str, **place: str) -> dict[str, Any]:
    body = {"message": text, "idempotency_key": key, **place}
    return events_of(client.post("/api/chat", json=body).data)[0].data


@pytest.fixture
def paths(member: User) -> list[str]:
    """A new conversation's, and that of one that is there."""
    return [NEW, of(fill(member, 1)[0])]


def test_what_is_written_on_one_device_is_found_on_another(
    paths: list[str], member: User, member_client: PageClient, sign_in: SignIn
) -> None:
    desk = sign_in(member)
    for path in paths:
        assert kept(desk, path) is None
        reply = keep(member_client, path, f"words of {path}")
        assert reply.status_code == 200
        assert desk.get(path).json == reply.json
        assert reply.json["draft"]["key"] == "k1"
    assert [kept(desk, path) for path in paths] == [f"words of {path}" for path in paths], "each has its own"


def test_the_newest_words_win_by_the_servers_clock(paths: list[str], member_client: PageClient) -> None:
    for path in paths:
        first = keep(member_client, path, "of the phone", "k1").json["draft"]
        second = keep(member_client, path, "of the desk", "k1").json["draft"]
        assert second["saved_at"] > first["saved_at"]
        assert member_client.get(path).json == {"draft": second}


def test_no_words_delete_the_draft_of_their_key_alone(paths: list[str], member_client: PageClient) -> None:
    for path in paths:
        keep(member_client, path, "begun on the phone", "k1")
        keep(member_client, path, " \n", "k2")
        assert kept(member_client, path) == "begun on the phone", "another device has emptied another draft"
        assert keep(member_client, path, "", "k1").json == {"draft": None}
        assert kept(member_client, path) is None


def test_what_another_device_has_begun_is_not_written_over(member_client: PageClient) -> None:
    keep(member_client, NEW, "a long text from the phone", "k1")
    refused = keep(member_client, NEW, "a word", "k2")
    assert (refused.status_code, error_code(refused)) == (409, "draft_elsewhere")
    assert kept(member_client, NEW) == "a long text from the phone"
    assert keep(member_client, NEW, "a long text from the phone\n\na word", "k1").status_code == 200
    keep(member_client, NEW, "", "k1")
    assert keep(member_client, NEW, "a word", "k2").status_code == 200


def test_a_message_takes_its_draft_along_and_no_late_copy_comes_back(
    upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    keep(member_client, NEW, "hello there", "k1")
    own = send(member_client, "hello there", "k1")["conversation_id"]
    assert kept(member_client, NEW) is None
    late = keep(member_client, NEW, "hello the", "k1")
    assert (late.status_code, error_code(late)) == (409, "draft_sent")
    assert kept(member_client, NEW) is None
    keep(member_client, of(own), "and more", "k2")
    send(member_client, "and more", "k2", conversation_id=own)
    assert kept(member_client, of(own)) is None
    assert keep(member_client, of(own), "and more", "k2").status_code == 409
    assert left() == 0


def test_a_message_leaves_what_was_begun_under_another_key(
    upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    own = send(member_client, "hello", "k1")["conversation_id"]
    keep(member_client, of(own), "the next", "k3")
    send(member_client, "from the queue", "k2", conversation_id=own)
    assert kept(member_client, of(own)) == "the next"


def test_a_message_that_is_refused_leaves_its_draft(upstream: ScriptedUpstream, member_client: PageClient) -> None:
    keep(member_client, NEW, "hello", "k1")
    body = {"message": "hello", "idempotency_key": "k1", "model": "no such model"}
    assert member_client.post("/api/chat", json=body).status_code >= 400
    assert kept(member_client, NEW) == "hello"


def test_a_message_and_a_save_at_the_same_moment_leave_no_draft(
    upstream: ScriptedUpstream, member: User, sign_in: SignIn
) -> None:
    upstream.default = Answer("word")
    for round_ in range(4):
        outcomes = at_once(2, partial(race, [sign_in(member), sign_in(member)], f"k{round_}"))
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert left() == 0


def race(devices: list[PageClient], key: str, number: int) -> object:
    return keep(devices[1], NEW, "hell", key) if number else send(devices[0], "hello", key)


def test_a_draft_that_a_version_of_before_has_sent_is_not_shown(
    upstream: ScriptedUpstream, member_client: PageClient
) -> None:
    send(member_client, "hello", "k1")
    keep(member_client, NEW, "hello", "k2")
    with transaction() as session:
        session.execute(update(KeptDraft).values(message_key="k1"))
    assert kept(member_client, NEW) is None


@pytest.mark.security("deleted-is-gone")
def test_drafts_go_with_their_conversation_and_their_person(
    paths: list[str], member: User, member_client: PageClient
) -> None:
    for path in paths:
        keep(member_client, path, "words")
    assert member_client.delete(paths[1].removesuffix("/draft")).status_code == 204
    assert (left(), kept(member_client, NEW)) == (1, "words")
    assert member_client.get(paths[1]).status_code == 404
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
        session.execute(delete(User).where(User.id == member.id))
    assert left() == 0


def test_the_page_comes_with_the_draft_of_its_place(paths: list[str], member_client: PageClient) -> None:
    for path in paths:
        keep(member_client, path, f"words </script> of {path}")
    pages = ["/", paths[1].replace("/api/conversations", "/c").removesuffix("/draft")]
    for page, path in zip(pages, paths, strict=True):
        told = member_client.get(page).get_data(as_text=True)
        assert f"of {path}" in told
        assert "words </script>" not in told
        assert [other for other in paths if f"of {other}" in told] == [path]


def test_a_draft_counts_as_no_message_and_costs_nothing(member_client: PageClient) -> None:
    keep(member_client, NEW, "words")
    summary = member_client.get("/api/usage/summary").json
    assert "words" not in str(summary)
    assert runs() == 0


def runs() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


def left() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(KeptDraft)) or 0


def test_whoever_is_signed_out_reads_and_writes_none(paths: list[str], client: PageClient) -> None:
    for path in paths:
        assert client.get(path).status_code == 401
        assert keep(client, path, "words").status_code == 401
    assert left() == 0


def test_somebody_elses_looks_like_one_that_is_not_there(
    paths: list[str], member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    keep(member_client, paths[0], "mine")
    keep(member_client, paths[1], "mine")
    other = sign_in(make_user("other"))
    assert kept(other, NEW) is None
    keep(other, NEW, "")
    for path in (paths[1], ABSENT):
        for reply in (other.get(path), keep(other, path, "theirs"), keep(other, path, "")):
            assert (reply.status_code, error_code(reply)) == (404, "not_found")
    assert [kept(member_client, path) for path in paths] == ["mine", "mine"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": "a" * (MAX_MESSAGE_BYTES + 1), "key": "k"}, "message_too_long"),
        ({"text": "a\0b", "key": "k"}, "bad_request"),
        ({"text": "words"}, "invalid_field"),
        ({"text": "words", "key": ""}, "invalid_field"),
        ({"text": "words", "key": "k" * 65}, "invalid_field"),
        ({"text": 1, "key": "k"}, "invalid_field"),
        ({"text": "words", "key": "k", "saved_at": "2999-01-01"}, "invalid_field"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    paths: list[str], member_client: PageClient, body: dict[str, Any], code: str
) -> None:
    for path in paths:
        reply = member_client.put(path, json=body)
        assert (reply.status_code // 100, error_code(reply)) == (4, code)
    assert left() == 0


def test_a_draft_may_be_as_long_as_a_message(paths: list[str], member_client: PageClient) -> None:
    longest = "字" * (MAX_MESSAGE_BYTES // 3)
    for path in paths:
        assert keep(member_client, path, longest).status_code == 200
        assert kept(member_client, path) == longest
