"""How many links a person makes and has, for whom they open, and who may not share."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, Conversation, Group, Share, SharedDaily, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_access
from flask_app.services.sharing import share_quota, share_service
from tests.support import sharing, talks
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.sharing import make, share
from tests.support.together import at_once

OWN = "/api/shares"


def test_there_are_so_many_links_and_no_more(
    member: User, member_client: PageClient, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_quota, "MOST", 2)
    sharing.keep(member, talk.id, expires_at=utc_now() - timedelta(seconds=1))  # one that is over is none
    share(member_client, talk.id)
    replies = at_once(3, lambda _: make(member_client, talk.id).status_code)
    assert sorted(replies, key=str) == [201, 409, 409], "counted one by one"


@pytest.mark.security("share-off-closes")
def test_where_sharing_is_off_nothing_is_shared(member_client: PageClient, talk: Conversation) -> None:
    sharing.switch("off")
    refused = make(member_client, talk.id)
    assert (refused.status_code, error_code(refused)) == (403, "sharing_off")


@pytest.mark.security("share-off-closes")
def test_a_group_can_be_left_out(member_client: PageClient, admin_client: PageClient, talk: Conversation) -> None:
    path = f"/api/admin/groups/{DEFAULT_GROUP_ID}/access"
    changed = admin_client.put(path, json={"sharing": False})
    assert changed.json == {"api": True, "sharing": False, "web_search": True, "models": None, "hours": None}
    refused = make(member_client, talk.id)
    assert (refused.status_code, error_code(refused)) == (403, "sharing_not_allowed")
    assert admin_client.put(path, json={}).json == changed.json, "what does not name it leaves it, as an old page does"
    assert make(member_client, talk.id).status_code == 403
    admin_client.put(path, json={"sharing": True})
    assert make(member_client, talk.id).status_code == 201


@pytest.mark.security("share-off-closes")
def test_a_version_that_knows_nothing_of_it_does_not_let_a_group_share(
    member_client: PageClient, talk: Conversation
) -> None:
    group_access.put(Actor(None), DEFAULT_GROUP_ID, sharing=False)
    with transaction() as session:  # what such a version writes when somebody sets the hours
        session.execute(update(Group).where(Group.id == DEFAULT_GROUP_ID).values(access='{"api": false}'))
    assert error_code(make(member_client, talk.id)) == "sharing_not_allowed"


@pytest.mark.security("share-made-for-few")
def test_a_link_says_whom_it_opens_for(member_client: PageClient, talk: Conversation) -> None:
    def audiences() -> list[str]:
        return [each["audience"] for each in member_client.get(OWN).get_json()["shares"]]

    sharing.switch("people")
    assert share(member_client, talk.id)["audience"] == "people"
    sharing.switch("anybody")
    assert audiences() == ["people"], "it is not widened"
    assert share(member_client, talk.id)["audience"] == "anybody"
    assert audiences() == ["anybody", "people"]
    sharing.switch("people")
    assert audiences() == ["people", "people"]
    sharing.switch("off")
    assert audiences() == ["anybody", "people"]


def test_so_many_are_made_on_a_day_however_many_are_ended(
    member: User, member_client: PageClient, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_quota, "MOST_A_DAY", 2)
    for _ in range(2):
        member_client.delete(f"{OWN}/{share(member_client, talk.id)['id']}")
    refused = make(member_client, talk.id)
    assert (refused.status_code, error_code(refused)) == (429, "too_many_shares_today")
    with transaction() as session:
        session.execute(update(SharedDaily).values(day=date(2026, 1, 1)))
    share(member_client, talk.id)
    with reading() as session:
        assert session.scalars(select(SharedDaily.made)).one() == 1


def test_snapshots_take_so_much_at_once_and_no_more(
    member: User, member_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = talks.write(member, [("a", None, "user", "语" * 1000)])
    monkeypatch.setattr(share_quota, "MOST_BYTES", 7000)
    sharing.keep(member, talk.id, content_bytes=7000, expires_at=utc_now() - timedelta(seconds=1))
    first = share(member_client, talk.id)
    share(member_client, talk.id)
    refused = make(member_client, talk.id)
    assert (refused.status_code, error_code(refused)) == (409, "shares_too_long"), "bytes, not characters"
    member_client.delete(f"{OWN}/{first['id']}")
    share(member_client, talk.id)


def test_what_is_over_is_removed(app: Flask, member: User, member_client: PageClient, talk: Conversation) -> None:
    sharing.keep(member, talk.id, expires_at=utc_now() - timedelta(seconds=1))
    stays = [
        sharing.keep(member, talk.id, expires_at=utc_now() + timedelta(minutes=1)).id,
        sharing.keep(member, talk.id).id,
    ]
    assert len(member_client.get(OWN).json["shares"]) == 2, "one that is over is listed no more"  # type: ignore[index]
    share_service.prune()
    share_service.prune()
    with reading() as session:
        assert sorted(session.scalars(select(Share.id))) == sorted(stays)
