"""/s/…: what whoever has a link reads, and for how long."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import i18n
from flask_app.database import reading, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, Conversation, Message, Share, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_access
from tests.conftest import MakeUser, SignIn
from tests.support import sharing
from tests.support.clients import PageClient, new_client
from tests.support.sharing import share
from tests.support.together import at_once

UNKNOWN = "/s/" + "A" * 43


@pytest.fixture
def path(member_client: PageClient, talk: Conversation) -> str:
    made: str = share(member_client, talk.id)["path"]
    return made


def opened(client: PageClient, path: str) -> int:
    return client.post("/api/shared/opened", json={"token": path.removeprefix("/s/")}).status_code


def count() -> int:
    with reading() as session:
        return session.scalars(select(Share.opened)).one()


def told(response: Any) -> tuple[int, str]:
    """What is seen of it, without what differs from request to request."""
    body = response.get_data(as_text=True).replace(response.headers["X-Request-ID"], "")
    nonce = re.findall(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"])
    return response.status_code, body.replace(nonce[0], "") if nonce else body


def test_a_stranger_reads_what_was_shared(client: PageClient, path: str) -> None:
    response = client.get(path, headers={"Accept-Language": "en"})
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "一段谈话" in page
    assert "And then?" in page
    assert "The first answer" not in page
    assert "A conversation on MingChat (localhost) as it stood on" in page
    assert "Shared by" not in page, "its person is not named"


def test_it_says_who_shares_where_that_was_wanted(
    client: PageClient, member_client: PageClient, talk: Conversation
) -> None:
    made = share(member_client, talk.id, named=True, days=None)
    page = client.get(made["path"], headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Shared by member." in page
    assert "This link works until" not in page


@pytest.mark.security("share-page-is-closed")
def test_its_page_is_kept_and_told_nowhere(client: PageClient, path: str) -> None:
    for response in (client.get(path), client.get(UNKNOWN)):
        headers = response.headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "script-src 'self' 'nonce-" in headers["Content-Security-Policy"]
        assert "Set-Cookie" not in headers
    assert '<meta name="robots" content="noindex, nofollow">' in client.get(path).get_data(as_text=True)
    assert client.get("/login").headers["Referrer-Policy"] == "same-origin", "other pages are as they were"


@pytest.mark.security("markup-inert")
def test_hostile_words_are_text_in_its_source(client: PageClient, path: str) -> None:
    page = client.get(path).get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.security("share-gone-alike")
def test_ended_expired_and_unknown_look_alike(
    app: Flask, client: PageClient, member: User, member_client: PageClient, talk: Conversation
) -> None:
    made, over = share(member_client, talk.id), share(member_client, talk.id)
    member_client.delete(f"/api/shares/{made['id']}")
    with transaction() as session:
        session.execute(update(Share).where(Share.id == over["id"]).values(expires_at=utc_now() - timedelta(seconds=1)))
    replies = [told(client.get(each)) for each in (made["path"], over["path"], UNKNOWN)]
    assert replies[0][0] == 404
    assert len(set(replies)) == 1
    for locale in i18n.LOCALES:
        reader = new_client(app)
        reader.set_cookie("lang", locale)
        assert i18n.translate(locale, "error.not_found") in html.unescape(reader.get(UNKNOWN).text)
    assert {opened(client, each) for each in (made["path"], over["path"], UNKNOWN)} == {404}


@pytest.mark.security("share-off-closes")
def test_switched_off_it_opens_no_more_and_on_again_it_does(client: PageClient, path: str) -> None:
    sharing.switch("off")
    assert told(client.get(path)) == told(client.get(UNKNOWN))
    assert (client.get(path).status_code, opened(client, path)) == (404, 404)
    sharing.switch("anybody")
    assert client.get(path).status_code == 200


@pytest.mark.security("share-off-closes")
def test_a_group_that_is_left_out_shares_no_more(client: PageClient, path: str) -> None:
    group_access.put(Actor(None), DEFAULT_GROUP_ID, sharing=False)
    assert client.get(path).status_code == 404
    group_access.put(Actor(None), DEFAULT_GROUP_ID, sharing=True)
    assert client.get(path).status_code == 200


@pytest.mark.security("share-off-closes")
def test_kept_to_people_it_asks_everybody_else_to_sign_in(
    app: Flask, client: PageClient, make_user: MakeUser, sign_in: SignIn, path: str
) -> None:
    sharing.switch("people")
    for each in (path, UNKNOWN):
        response = client.get(each)
        assert (response.status_code, response.location) == (302, f"/login?next={each}")
    assert opened(client, path) == 401
    reader = sign_in(make_user("reader"))
    assert (reader.get(path).status_code, reader.get(UNKNOWN).status_code) == (200, 404)


@pytest.mark.security("share-made-for-few")
def test_what_was_made_for_people_never_opens_for_anybody(
    client: PageClient, admin_client: PageClient, member: User, member_client: PageClient, talk: Conversation
) -> None:
    sharing.switch("people")
    narrow = share(member_client, talk.id)["path"]
    sharing.keep(member, talk.id, "a-link-of-before")
    sharing.switch("anybody")
    wide = share(member_client, talk.id)["path"]
    for path in (narrow, "/s/a-link-of-before"):
        response = client.get(path)
        assert (response.status_code, response.location) == (302, f"/login?next={path}")
        assert opened(client, path) == 401
        assert (admin_client.get(path).status_code, opened(admin_client, path)) == (200, 204)
    assert client.get(wide).status_code == 200
    assert client.get(UNKNOWN).status_code == 404


@pytest.mark.security("disabled-is-out")
def test_whose_person_is_disabled_it_opens_nothing(
    admin_client: PageClient, client: PageClient, member: User, path: str
) -> None:
    assert client.get(path).status_code == 200
    assert admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": True}).status_code == 200
    assert (client.get(path).status_code, opened(client, path)) == (404, 404)


@pytest.mark.security("share-holds-what-was-shown")
def test_what_is_written_later_is_not_in_it(client: PageClient, path: str, talk: Conversation) -> None:
    before = client.get(path).get_data(as_text=True)
    with transaction() as session:
        session.execute(update(Message).values(text="written later"))
        session.execute(update(Conversation).values(title="called otherwise"))
    after = client.get(path).get_data(as_text=True)
    assert "written later" not in after
    assert "called otherwise" not in after
    assert "And then?" in before


@pytest.mark.security("share-counts-nobody")
def test_it_is_counted_and_nobody_is_noted(
    app: Flask, client: PageClient, member_client: PageClient, admin_client: PageClient, path: str
) -> None:
    for _ in range(2):
        assert client.get(path).status_code == 200
    assert count() == 0, "reading changes nothing: its page says that it is seen"
    assert opened(client, path) == opened(admin_client, path) == 204
    assert opened(member_client, path) == 204
    assert count() == 2, "its own person's looks do not count"
    assert at_once(5, lambda _: opened(new_client(app), path)) == [204] * 5
    assert count() == 7


def test_one_that_ends_while_it_is_opened_counts_nothing(
    app: Flask, client: PageClient, member_client: PageClient, talk: Conversation
) -> None:
    made = share(member_client, talk.id)

    def act(number: int) -> int:
        if number == 0:
            return member_client.delete(f"/api/shares/{made['id']}").status_code
        return opened(new_client(app), made["path"])

    replies = at_once(5, act)
    assert replies[0] == 204
    assert set(replies) <= {204, 404}
    assert client.get(made["path"]).status_code == 404
    with reading() as session:
        assert session.scalar(select(Share.id)) is None


@pytest.mark.parametrize("token", ["", "x", "%00", "é", "a" * 1000, "..", "'", "%F0%9F%98%80"])
def test_what_is_no_link_is_not_there(client: PageClient, token: str) -> None:
    assert client.get(f"/s/{token}").status_code in {404, 308}


@pytest.mark.parametrize("body", [{}, {"token": 1}, {"token": "x", "more": 1}, {"token": "a" * 1001}, []])
def test_bad_input_is_refused(client: PageClient, body: Any) -> None:
    assert client.post("/api/shared/opened", json=body).status_code in {400, 422}


def test_an_answer_that_is_not_whole_says_so(client: PageClient, member_client: PageClient, talk: Conversation) -> None:
    with transaction() as session:
        session.execute(update(Message).where(Message.role == "assistant").values(status="stopped"))
    made = share(member_client, talk.id)
    page = client.get(made["path"], headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert page.count("notice__text") >= 2
    assert "topped" in page


def test_strangers_are_counted_by_their_address(client: PageClient, admin_client: PageClient, path: str) -> None:
    admin_client.put("/api/admin/rates/site", json={"visits": {"amount": 3, "seconds": 60}})
    replies = [client.get(UNKNOWN).status_code for _ in range(5)]
    assert replies == [404, 404, 404, 429, 429]
    assert client.get(path).status_code == 429
