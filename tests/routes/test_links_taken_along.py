"""Links of a question that were opened go along: in files of every kind, back again, and by a link to read it."""

import html
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from flask_app.database import reading
from flask_app.domain import web_links, web_sources
from flask_app.domain.web_sources import FAILED, FOUND, MOST_PAGE_BYTES, STOPPED, Page, Search
from flask_app.models import Message, User
from tests.conftest import MakeUser, SignIn
from tests.support import looked_up, sharing
from tests.support.clients import PageClient
from tests.support.exported import without_ids
from tests.support.looked_up import QUERY

EXPORT, IMPORT = "/api/conversations/export?format=json", "/api/conversations/import"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def another(make_user: MakeUser, sign_in: SignIn) -> PageClient:
    return sign_in(make_user("another"))


def sent(client: PageClient, file: Any) -> None:
    reply = client.post(IMPORT, json={name: file[name] for name in ("folders", "conversations")}, buffered=True)
    assert [each["outcome"] for each in reply.json["outcomes"]] == ["imported"]  # type: ignore[index]


def searched(file: Any) -> Any:
    return file["conversations"][0]["messages"][0]["search"]


@pytest.mark.parametrize(("status", "query"), [(FOUND, QUERY), (FAILED, QUERY), (STOPPED, QUERY), (FOUND, "")])
def test_json_has_them_whole_and_they_come_back_the_same(
    member: User, member_client: PageClient, another: PageClient, status: str, query: str
) -> None:
    looked_up.talk(member, search=looked_up.with_links(status, query))
    file = member_client.get(EXPORT).json
    first, second = searched(file)["sources"][:2]
    assert (first["fetched"], first["text"]) == ("opened", looked_up.LINKS[0].text)
    assert (second["fetched"], second["fetch_error"], second["text"]) == ("failed", "upstream_busy", "")
    sent(another, file)
    assert without_ids(another.get(EXPORT).json) == without_ids(file)


def by_model(member: User) -> str:
    """A conversation whose model has opened a page, and found one, itself; gives its id."""
    made = looked_up.talk(member)
    opened, found = looked_up.LINKS[0], looked_up.PAGES[0]
    sources = [
        *web_links.brought([("opened", None, opened)]),
        *web_sources.kept([Page(url="https://five.example/", title=found.title, text="more")]),
    ]
    sources = [replace(each, number=number) for number, each in enumerate(sources, 3)]
    with reading() as session:
        answers = select(Message.id).where(Message.parent_id == looked_up.question_of(made))
        answer_id = session.scalars(answers).one()
    looked_up.look_up(answer_id, Search(status=FOUND, query="", engine="deepseek", sources=sources))
    return made.id


def test_what_a_model_found_itself_goes_along_with_its_numbers(
    member: User, member_client: PageClient, another: PageClient, client: PageClient
) -> None:
    sharing.switch("anybody")
    conversation_id = by_model(member)
    file: Any = member_client.get(EXPORT).json
    found = file["conversations"][0]["messages"][1]["search"]
    assert [(each["number"], each["fetched"]) for each in found["sources"]] == [(3, "opened"), (4, "")]
    sent(another, file)
    assert without_ids(another.get(EXPORT).json) == without_ids(file)
    path = f"/api/conversations/{conversation_id}/export?format="
    told = member_client.get(f"{path}md", headers=ENGLISH).get_data(as_text=True)
    assert "3. [The \\*page\\*](https://three.example/p) · Opened" in told
    page = client.get(sharing.share(member_client, conversation_id)["path"], headers=ENGLISH).get_data(as_text=True)
    assert page.count("data-source=") == 4
    assert 'data-source="3"' in page


@pytest.mark.security("imports-bounded")
def test_what_a_file_says_a_model_found_is_made_harmless(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    by_model(member)
    file: Any = member_client.get(EXPORT).json
    found = file["conversations"][0]["messages"][1]["search"]
    page = found["sources"][0]
    bad = [{"number": 0}, {"number": -1}, {"number": 100}, {"number": 5, "url": "javascript:alert(1)"}]
    good = [{"number": 7, "text": "y" * 100_000}, {"number": 8, "text": "y" * 100_000, "fetched": "failed"}]
    found["sources"] = [page | each for each in [*bad, *good, {"number": 7, "url": "https://again.example"}]]
    sent(another, file)
    back = another.get(EXPORT).json["conversations"][0]["messages"][1]["search"]  # type: ignore[index]
    assert [(each["number"], each["fetched"]) for each in back["sources"]] == [(7, "opened"), (8, "")]
    assert [len(each["text"]) < most for each, most in zip(back["sources"], (16_000, 3_000), strict=True)] == [True] * 2


@pytest.mark.security("imports-bounded")
def test_what_a_file_says_of_them_is_made_harmless(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    looked_up.talk(member, search=looked_up.with_links())
    file: Any = member_client.get(EXPORT).json
    page = searched(file)["sources"][0]
    bad = [{"url": url} for url in ("javascript:alert(1)", "https://a:b@one.example/")]
    bad += [{"url": f"https://{number}.example/", "text": "y" * 100_000} for number in range(5)]
    bad[2] |= {"fetched": "of_a_later_version", "fetch_error": "no_such_words"}
    searched(file)["sources"] = [page | each for each in bad]
    sent(another, file)
    back = searched(another.get(EXPORT).json)["sources"]
    assert [(each["number"], each["url"], each["fetched"], each["fetch_error"]) for each in back] == [
        (1, "https://0.example/", "failed", None),
        (2, "https://1.example/", "opened", None),
        (3, "https://2.example/", "opened", None),
    ]
    assert max(len(each["text"]) for each in back) <= MOST_PAGE_BYTES


@pytest.mark.parametrize(
    ("search", "heading"),
    [
        (looked_up.with_links(), "Sources from the web: 4"),
        (looked_up.with_links(query=""), "Links opened: 1 of 2"),
        (looked_up.with_links(FAILED), "The web search failed: answered without it"),
    ],
)
def test_what_is_read_says_how_each_went(
    member: User, member_client: PageClient, client: PageClient, search: Any, heading: str
) -> None:
    sharing.switch("anybody")
    made = looked_up.talk(member, search=search)
    path = f"/api/conversations/{made.id}/export?format="
    told = member_client.get(f"{path}md", headers=ENGLISH).get_data(as_text=True)
    assert f"**{heading}**" in told
    assert r"1. [The \*page\*](https://three.example/p) · Opened · three.example" in told
    assert "2. [https://four.example/](https://four.example/) · Could not be opened · four.example" in told
    shared = client.get(sharing.share(member_client, made.id)["path"], headers=ENGLISH).get_data(as_text=True)
    for page in (member_client.get(f"{path}html", headers=ENGLISH).get_data(as_text=True), shared):
        assert heading in html.unescape(page)
        assert "Opened · three.example" in page
        assert "Could not be opened · four.example" in page
        assert "Line by line" not in page
