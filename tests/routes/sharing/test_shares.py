"""Links to conversations as their person has them: made, listed, ended; and who may make them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Conversation, Message, Share, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_service
from flask_app.services.people import account_deletion, group_access
from flask_app.services.sharing import snapshot
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import sharing, talks
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.sharing import make, share

OWN = "/api/shares"


def ids_of(conversation: Conversation) -> list[str]:
    """Its messages, in the order of their times."""
    own = select(Message.id).where(Message.conversation_id == conversation.id).order_by(Message.created_at)
    with reading() as session:
        return list(session.scalars(own))


def content_of(share_id: str) -> list[Any]:
    with reading() as session:
        found: list[Any] = json.loads(session.get_one(Share, share_id).content)
        return found


def entries() -> list[tuple[str, str, Any]]:
    with reading() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("shar")))
        return sorted([(each.action, each.target, json.loads(each.details)) for each in found], key=str)


def test_a_link_is_made_listed_and_ended(member_client: PageClient, talk: Conversation) -> None:
    made = share(member_client, talk.id)
    assert (made["title"], made["opened"], made["named"], made["thoughts"]) == ("一段谈话", 0, False, False)
    assert made["path"].startswith("/s/")
    assert len(made["path"]) == len("/s/") + 43, "256 random bits"
    assert member_client.get(OWN).json == {"shares": [made]}
    assert member_client.get(f"{OWN}?conversation={talk.id}").json == {"shares": [made]}
    assert member_client.get(f"{OWN}?conversation=another").json == {"shares": []}
    assert member_client.delete(f"{OWN}/{made['id']}").status_code == 204
    assert member_client.get(OWN).json == {"shares": []}
    assert member_client.delete(f"{OWN}/{made['id']}").status_code == 404, "it has ended already"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Share)) == 0, "its snapshot is gone"


def test_making_and_ending_are_audited_without_a_word(member_client: PageClient, talk: Conversation) -> None:
    first, second = share(member_client, talk.id, named=True), share(member_client, talk.id, days=None)
    member_client.delete(f"{OWN}/{first['id']}")
    assert member_client.delete(OWN).status_code == 204
    expected = [
        ("sharing.change", "sharing", {"before": {"mode": "off"}, "after": {"mode": "anybody"}}),
        ("share.make", first["id"], {"days": 30, "thoughts": False, "named": True}),
        ("share.make", second["id"], {"days": None, "thoughts": False, "named": False}),
        ("share.end", first["id"], {}),
        ("share.end", second["id"], {}),
    ]
    assert entries() == sorted(expected, key=str)
    assert member_client.get(OWN).json == {"shares": []}


@pytest.mark.parametrize(("days", "expected"), [(1, 1), (7, 7), (30, 30), (None, None)])
def test_a_link_ends_by_itself(
    member_client: PageClient, talk: Conversation, days: int | None, expected: int | None
) -> None:
    made = share(member_client, talk.id, days=days)
    with reading() as session:
        kept = session.get_one(Share, made["id"])
    found = kept.expires_at and kept.expires_at - kept.created_at
    assert found == (timedelta(days=expected) if expected else None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"days": 2}, 422),
        ({"days": 0}, 422),
        ({"days": True}, 422),
        ({"days": "30"}, 422),
        ({"thoughts": 1}, 422),
        ({"message_id": 1}, 422),
        ({"message_id": "x" * 65}, 422),
        ({"message_id": "absent"}, 404),
        ({"message_id": ""}, 404),  # none is not the newest
        ({"title": "mine"}, 422),
        ({"user_id": "x"}, 422),
        ([], 422),
    ],
)
def test_bad_input_is_refused(member_client: PageClient, talk: Conversation, body: Any, status: int) -> None:
    response = member_client.post(f"/api/conversations/{talk.id}/shares", json=body)
    assert response.status_code in {status, 400}, response.json
    assert member_client.get(OWN).json == {"shares": []}


def test_signed_out_nothing_is_shared(client: PageClient, talk: Conversation) -> None:
    assert make(client, talk.id).status_code == client.get(OWN).status_code == 401
    assert client.delete(f"{OWN}/x").status_code == client.delete(OWN).status_code == 401


@pytest.mark.security("share-own")
def test_somebody_elses_conversation_and_messages_cannot_be_shared(
    member: User, admin: User, admin_client: PageClient, talk: Conversation
) -> None:
    own = talks.branched(admin)
    assert make(admin_client, talk.id).status_code == 404, "an administrator's neither"
    assert make(admin_client, own.id, message_id=ids_of(talk)[0]).status_code == 404
    kept = sharing.keep(member, talk.id)
    assert admin_client.delete(f"{OWN}/{kept.id}").status_code == 404
    assert admin_client.delete(OWN).status_code == 204
    assert admin_client.get(f"{OWN}?conversation={talk.id}").json == {"shares": []}
    with reading() as session:
        assert session.scalar(select(Share.id)) == kept.id, "all of one's own are not those of others"


@pytest.mark.security("share-holds-what-was-shown")
def test_the_branch_that_is_shown_is_shared_and_no_other(member_client: PageClient, talk: Conversation) -> None:
    question, first, *_ = ids_of(talk)
    shown = content_of(share(member_client, talk.id, message_id=first)["id"])
    assert [each["text"] for each in shown] == ["你好 <script>alert(1)</script>", "The first answer"]
    newest = content_of(share(member_client, talk.id)["id"])
    assert [each["role"] for each in newest] == ["user", "assistant", "user", "assistant"]
    assert "The first answer" not in json.dumps(newest)
    assert question not in json.dumps(newest), "no ids"


@pytest.mark.security("share-holds-what-was-shown")
def test_thoughts_and_a_name_are_there_where_they_were_wanted_alone(
    member_client: PageClient, talk: Conversation
) -> None:
    with transaction() as session:
        session.execute(update(Message).where(Message.role == "assistant").values(reasoning="a secret thought"))
    plain, whole = share(member_client, talk.id), share(member_client, talk.id, thoughts=True, named=True)
    assert "thought" not in json.dumps(content_of(plain["id"]))
    assert content_of(whole["id"])[1]["reasoning"] == "a secret thought"
    with reading() as session:
        assert session.get_one(Share, plain["id"]).shown_name is None
        assert session.get_one(Share, whole["id"]).shown_name == "member"


def test_a_branch_that_is_still_written_is_not_shared(member_client: PageClient, talk: Conversation) -> None:
    ids = ids_of(talk)
    with transaction() as session:
        session.execute(update(Message).where(Message.id == ids[-1]).values(status="running"))
    refused = make(member_client, talk.id)
    assert (refused.status_code, error_code(refused)) == (409, "answer_not_finished")
    assert make(member_client, talk.id, message_id=ids[1]).status_code == 201, "another branch of it is whole"


def test_what_has_no_message_or_too_much_is_refused(
    member: User, member_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = talks.write(member, [])
    assert error_code(make(member_client, empty.id)) == "nothing_to_share"
    long = talks.write(member, [("a", None, "user", "语" * 1000)])
    monkeypatch.setattr(snapshot, "MAX_BYTES", 3000)
    assert error_code(make(member_client, long.id)) == "share_too_long"


def test_an_archived_one_can_be_shared(member: User, member_client: PageClient) -> None:
    archived = talks.branched(member, archived=True)
    share(member_client, archived.id)
    assert member_client.get("/api/conversations/archived").json["conversations"][0]["shared"] is True  # type: ignore[index]


def test_the_lists_say_what_is_shared(member_client: PageClient, member: User, talk: Conversation) -> None:
    other = talks.branched(member)

    def shared() -> dict[str, bool]:
        page = member_client.get("/api/conversations/unfiled").json
        assert page
        return {each["id"]: each["shared"] for each in page["conversations"]}

    assert shared() == {talk.id: False, other.id: False}
    sharing.keep(member, other.id, expires_at=utc_now() - timedelta(seconds=1))
    assert shared() == {talk.id: False, other.id: False}, "one that is over opens nothing, before it is removed too"
    assert member_client.get(f"/api/conversations/{other.id}").json["shared"] is False  # type: ignore[index]
    made = share(member_client, talk.id)
    assert shared() == {talk.id: True, other.id: False}
    assert member_client.get(f"/api/conversations/{talk.id}").json["shared"] is True  # type: ignore[index]
    member_client.delete(f"{OWN}/{made['id']}")
    assert shared() == {talk.id: False, other.id: False}


@pytest.mark.security("deleted-is-gone")
def test_a_deleted_conversation_takes_its_links_along(
    member: User, member_client: PageClient, talk: Conversation
) -> None:
    share(member_client, talk.id)
    stays = share(member_client, talks.branched(member).id)
    assert member_client.delete(f"/api/conversations/{talk.id}").status_code == 204
    assert [each["id"] for each in member_client.get(OWN).json["shares"]] == [stays["id"]]  # type: ignore[index]


@pytest.mark.security("deleted-is-gone")
def test_one_that_is_kept_no_longer_takes_its_links_along(member: User, member_client: PageClient) -> None:
    talk = talks.branched(member)
    share(member_client, talk.id)
    assert conversation_service.expire(talk.id, utc_now())
    assert member_client.get(OWN).json == {"shares": []}


@pytest.mark.security("disabled-is-out")
def test_who_deletes_their_account_shares_nothing_at_once(make_user: MakeUser, sign_in: SignIn, admin: User) -> None:
    person = make_user("leaver")
    talk = talks.branched(person)
    client = sign_in(person)
    path = share(client, talk.id)["path"]
    assert client.post("/api/me/delete", json={"password": PASSWORD}).status_code == 204
    with reading() as session:
        assert session.scalar(select(Share.id)) is None, "before the rest is removed"
    assert client.get(path).status_code == 404
    account_deletion.finish()


@pytest.mark.security("share-token-sealed")
def test_the_table_has_the_links_digest_and_what_its_person_alone_is_shown(
    member_client: PageClient, talk: Conversation
) -> None:
    token = share(member_client, talk.id)["path"].removeprefix("/s/")
    with reading() as session:
        row = session.execute(select(Share.__table__)).one()
    assert token not in repr(row)
    assert token.encode() not in row.token


def test_a_link_whose_key_is_lost_can_be_ended_still(
    member: User, member_client: PageClient, talk: Conversation
) -> None:
    kept = sharing.keep(member, talk.id, token=b"sealed with another key")
    assert member_client.get(OWN).json["shares"][0]["path"] is None  # type: ignore[index]
    assert member_client.delete(f"{OWN}/{kept.id}").status_code == 204


def test_the_number_of_queries_does_not_grow(
    member: User, member_client: PageClient, talk: Conversation, query_count: Any
) -> None:
    sharing.keep(member, talk.id)
    with query_count() as few:
        member_client.get(OWN)
    for _ in range(20):
        sharing.keep(member, talk.id)
    with query_count() as many:
        assert len(member_client.get(OWN).json["shares"]) == 21  # type: ignore[index]
    assert len(many) == len(few)


def test_the_pages_offer_it_where_it_is_allowed(member: User, member_client: PageClient, talk: Conversation) -> None:
    assert "share-dialog" in member_client.get("/").get_data(as_text=True)
    assert "data-own-shares" in member_client.get("/account").get_data(as_text=True)
    group_access.put(Actor(None), DEFAULT_GROUP_ID, sharing=False)
    assert "share-dialog" not in member_client.get("/").get_data(as_text=True)
    assert "data-own-shares" not in member_client.get("/account").get_data(as_text=True)
    sharing.keep(member, talk.id)
    page = member_client.get("/account").get_data(as_text=True)
    assert "data-own-shares" in page, "what is shared can be ended"


def test_ones_own_data_names_the_links_without_a_way_in(
    member: User, member_client: PageClient, talk: Conversation
) -> None:
    path = share(member_client, talk.id)["path"]
    exported = member_client.get("/api/me/export").data
    assert exported.startswith(b"PK")
    assert path.removeprefix("/s/").encode() not in exported
