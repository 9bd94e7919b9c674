"""What was looked up on the web for a question goes along: in files of every kind, back again, and by a link."""

import copy
import html
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.domain.web_sources import EMPTY, FAILED, MOST_SOURCES, STOPPED
from flask_app.models import ImportedDaily, User, WebSearch
from flask_app.services.portability import import_quota
from tests.conftest import MakeUser, SignIn
from tests.support import looked_up, sharing
from tests.support.clients import PageClient
from tests.support.exported import without_ids

EXPORT, IMPORT = "/api/conversations/export?format=json", "/api/conversations/import"


@pytest.fixture
def another(make_user: MakeUser, sign_in: SignIn) -> PageClient:
    return sign_in(make_user("another"))


def exported(client: PageClient) -> Any:
    return client.get(EXPORT).json


def of(conversation_id: str, kind: str) -> str:
    return f"/api/conversations/{conversation_id}/export?format={kind}"


def sent(client: PageClient, file: Any) -> list[str]:
    body = {name: file[name] for name in ("folders", "conversations")}
    reply = client.post(IMPORT, json=body, buffered=True)
    assert reply.status_code == 200, reply.text
    return [each["outcome"] for each in reply.json["outcomes"]]  # type: ignore[index]


def searched(file: Any) -> Any:
    """That of the first question."""
    return file["conversations"][0]["messages"][0]["search"]


def test_json_has_it_whole_and_it_comes_back_the_same(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    looked_up.talk(member)
    file = exported(member_client)
    search = searched(file)
    assert (search["status"], search["query"], search["engine"], search["error_code"]) == (
        "found",
        looked_up.QUERY,
        "deepseek",
        None,
    )
    assert [each["number"] for each in search["sources"]] == [1, 2]
    assert search["sources"][0]["text"] == looked_up.PAGES[0].text
    assert [said["search"] for said in file["conversations"][0]["messages"][1:]] == [None] * 3
    assert sent(another, file) == ["imported"]
    assert without_ids(exported(another)) == without_ids(file)


@pytest.mark.parametrize("status", [EMPTY, FAILED, STOPPED])
def test_one_that_found_nothing_comes_back_too(
    member: User, member_client: PageClient, another: PageClient, status: str
) -> None:
    looked_up.talk(member, status)
    file = exported(member_client)
    assert (searched(file)["status"], searched(file)["sources"]) == (status, [])
    assert sent(another, file) == ["imported"]
    assert without_ids(exported(another)) == without_ids(file)


@pytest.mark.security("imports-bounded")
def test_what_a_file_says_of_it_is_made_harmless(member: User, member_client: PageClient, another: PageClient) -> None:
    looked_up.talk(member)
    file = exported(member_client)
    page = searched(file)["sources"][0]
    bad = [{"url": url} for url in ("javascript:alert(1)", "https://a:b@one.example/", "", "https://one.example/ x")]
    many = [{"url": f"https://{number}.example/", "title": "x" * 1000, "text": "y" * 100_000} for number in range(20)]
    searched(file)["sources"] = [page | each for each in bad + many]
    searched(file)["query"] = "a\nb\x00 " + "z" * 1000
    searched(file)["error_code"] = "no_such_words"
    answer = file["conversations"][0]["messages"][1]
    answer["search"] = copy.deepcopy(searched(file))
    assert sent(another, file) == ["imported"]
    back = exported(another)
    search = searched(back)
    assert [each["number"] for each in search["sources"]] == [*range(1, MOST_SOURCES + 1)]
    assert all(each["url"].startswith("https://") and "a:b" not in each["url"] for each in search["sources"])
    assert max(len(each["title"]) for each in search["sources"]) <= 200
    assert max(len(each["text"]) for each in search["sources"]) <= 3000
    assert (search["query"][:4], len(search["query"]), search["error_code"]) == ("a b ", 128, None)
    assert back["conversations"][0]["messages"][1]["search"] is None, "an answer is not looked up"


def test_without_a_page_that_can_be_opened_it_found_nothing(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    looked_up.talk(member)
    file = exported(member_client)
    for page in searched(file)["sources"]:
        page["url"] = "ftp://one.example/"
    assert sent(another, file) == ["imported"]
    assert (searched(exported(another))["status"], searched(exported(another))["sources"]) == ("empty", [])


@pytest.mark.parametrize(("here", "there"), [("running", "stopped"), ("of_a_later_version", "failed")])
def test_what_cannot_be_so_elsewhere_is_told_otherwise(
    member: User, member_client: PageClient, another: PageClient, here: str, there: str
) -> None:
    looked_up.talk(member)
    with transaction() as session:
        session.execute(update(WebSearch).values(status=here[:16]))
    assert sent(another, exported(member_client)) == ["imported"]
    assert (searched(exported(another))["status"], searched(exported(another))["sources"]) == (there, [])


def test_its_pages_count_among_the_days_text(member: User, member_client: PageClient, another: PageClient) -> None:
    looked_up.talk(member)
    file = exported(member_client)
    assert sent(another, file) == ["imported"]
    with reading() as session:
        counted = session.scalars(select(ImportedDaily.text_bytes)).one()
    texts = sum(len(said["text"].encode()) for said in file["conversations"][0]["messages"])
    names = ("title", "url", "site", "published", "text")
    pages = sum(len(page[name].encode()) for page in searched(file)["sources"] for name in names)
    assert counted == texts + pages < import_quota.MOST_BYTES


def test_markdown_lists_the_pages_below_the_question(member: User, member_client: PageClient) -> None:
    made = looked_up.talk(member)
    text = member_client.get(of(made.id, "md"), headers={"Accept-Language": "en"}).get_data(as_text=True)
    question, _, answer = text.partition("She did [1]")
    assert answer
    heading, pages = question.rstrip().split("\n\n")[-3:-1]
    assert heading == "**Sources from the web: 2**"
    assert pages.splitlines() == [
        r"1. [A \*title\* \[of\] \<b\>bold\</b\>](https://one.example/a_%28b%29?q=1&r=2) · One · 2026-11-02",
        "2. [http://two.example/](http://two.example/) · two.example · last week",
    ]


def test_a_page_links_them_and_nothing_in_it_runs(member: User, member_client: PageClient) -> None:
    made = looked_up.talk(member)
    page = member_client.get(of(made.id, "html"), headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Sources from the web: 2" in page
    assert "<b>bold" not in page
    assert f'href="{html.escape(looked_up.PAGES[0].url)}" rel="noopener noreferrer nofollow"' in page
    assert looked_up.PAGES[0].text not in html.unescape(page)


@pytest.mark.parametrize("kind", ["md", "html"])
def test_what_found_nothing_says_so(member: User, member_client: PageClient, kind: str) -> None:
    made = looked_up.talk(member, EMPTY)
    text = member_client.get(of(made.id, kind), headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "found nothing" in text


def test_whoever_has_a_link_sees_them(member: User, member_client: PageClient, client: PageClient) -> None:
    sharing.switch("anybody")
    made = looked_up.talk(member)
    path = sharing.share(member_client, made.id)["path"]
    page = client.get(path, headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Sources from the web: 2" in page
    assert f'href="{html.escape(looked_up.PAGES[0].url)}"' in page
    assert page.count("data-source=") == 2
    assert "<b>bold" not in page


def test_a_link_to_one_that_failed_says_so(member: User, member_client: PageClient, client: PageClient) -> None:
    sharing.switch("anybody")
    made = looked_up.talk(member, FAILED)
    page = client.get(sharing.share(member_client, made.id)["path"], headers={"Accept-Language": "en"})
    assert "The web search failed" in page.get_data(as_text=True)
    assert b"data-source=" not in page.data
