"""A page that is opened for somebody, however its reply is made: its words are found, or it is none."""

import json

import pytest

from flask_app.domain.web_sources import Page
from flask_app.errors import UpstreamError
from flask_app.upstream.client import Endpoint
from flask_app.upstream.web_fetch import DeepSeekFetch
from tests.support.scripted_upstream import GzipBomb, Redirect, ScriptedUpstream, Status, Whole
from tests.support.upstream_journal import FETCH

URL = "https://example.org/a"
WORDS = "# A page\n\nIts words."


@pytest.fixture(autouse=True)
def _fresh(provider: ScriptedUpstream) -> None:
    provider.forget_scripts()
    provider.journal.clear()
    provider.keys = None


def call(provider: ScriptedUpstream, version: str = "") -> DeepSeekFetch:
    return DeepSeekFetch(Endpoint(provider.base_url + version, "key", True), URL, "r")


def page_of(provider: ScriptedUpstream, body: object) -> Page:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    provider.script(Whole(content, "application/json"), path=FETCH)
    (page,) = call(provider).pages(5)
    return page


@pytest.mark.parametrize("version", ["", "/v1"])
def test_it_is_asked_for_the_address(provider: ScriptedUpstream, version: str) -> None:
    (page,) = call(provider, version).pages(5)
    assert (page.title, page.text.splitlines()[-1]) == ("Kap Arkona", "The old lighthouse is 19 metres high.")
    (asked,) = provider.journal.fetches
    assert (asked.method, asked.target, asked.body, asked.key) == ("POST", "/v1/tools/fetch", {"url": URL}, "key")
    assert asked.headers["x-request-id"] == "r"


@pytest.mark.parametrize(
    "body",
    [
        {"markdown": WORDS},
        {"content": WORDS, "summary": "less"},
        {"url": URL, "markdown": None, "content": " ", "text": WORDS},
        {"data": {"markdown": WORDS}},
        {"code": 0, "data": {"result": {"content": WORDS}}},
        {"results": [{"content": WORDS}]},
        [{"text": WORDS}],
        WORDS,
        WORDS.encode(),
        b"\xef\xbb\xbf" + WORDS.encode(),
    ],
)
def test_its_words_are_wherever_such_replies_have_them(provider: ScriptedUpstream, body: object) -> None:
    page = page_of(provider, body)
    assert (page.text.strip(), page.title) == (WORDS, "A page")


def test_what_else_is_said_of_it_is_taken_where_it_is_text(provider: ScriptedUpstream) -> None:
    page = page_of(provider, {"title": "T", "site_name": 7, "date": "2026-10-03", "url": None, "markdown": "w"})
    assert page == Page(title="T", published="2026-10-03", text="w")


def test_markdown_that_begins_as_a_list_of_json_is_read(provider: ScriptedUpstream) -> None:
    assert page_of(provider, b"[a link](https://example.org) first").text == "[a link](https://example.org) first"


def test_a_page_may_have_no_words(provider: ScriptedUpstream) -> None:
    assert page_of(provider, {"markdown": ""}) == Page()


def test_what_is_cut_in_the_middle_of_a_character_is_read(provider: ScriptedUpstream) -> None:
    assert page_of(provider, b'{"markdown": "\xe7\x81 19 metres"}').text == "\ufffd 19 metres"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" \n", b"null", b"7", b"[]", b"{}", b'{"markdown": 7}', b'{"data": []}', b'{"markdown": "a'),
        *(b"<!doctype html>", b'{"data":' * 100_000, b"[" * 500_000),
        b'{"data":' * 9 + b'{"text":"deep"}' + b"}" * 9,
    ],
)
def test_what_has_no_words_anywhere_is_garbage(provider: ScriptedUpstream, body: bytes) -> None:
    provider.script(Whole(body, "application/json"), path=FETCH)
    made = call(provider)
    with pytest.raises(UpstreamError) as caught:
        made.pages(5)
    assert (caught.value.code, caught.value.retryable, made.status) == ("upstream_garbage", False, 200)


@pytest.mark.parametrize("script", [Whole(b'"' + b"x" * (3 << 20) + b'"', "application/json"), GzipBomb()])
def test_what_is_too_long_is_not_kept(provider: ScriptedUpstream, script: Whole | GzipBomb) -> None:
    provider.script(script, path=FETCH)
    with pytest.raises(UpstreamError) as caught:
        call(provider).pages(5)
    assert caught.value.code == "upstream_garbage"


def test_a_refusal_is_told_by_its_status(provider: ScriptedUpstream) -> None:
    provider.script(Status(402), path=FETCH)
    made = call(provider)
    with pytest.raises(UpstreamError) as caught:
        made.pages(5)
    assert (caught.value.code, made.status, made.asked) == ("upstream_no_balance", 402, True)


@pytest.mark.security("providers-addresses", "key-to-its-own-host")
def test_it_follows_nobody_elsewhere_and_reaches_into_no_network(provider: ScriptedUpstream) -> None:
    with ScriptedUpstream() as elsewhere:
        provider.script(Redirect(elsewhere.base_url + FETCH), path=FETCH)
        with pytest.raises(UpstreamError):
            call(provider).pages(5)
        assert len(elsewhere.journal) == 0
    with pytest.raises(UpstreamError) as caught:
        DeepSeekFetch(Endpoint(provider.base_url, "key"), URL, "r").pages(5)
    assert caught.value.code == "upstream_address_private"
