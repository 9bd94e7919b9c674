"""Searches of the web reach only where the settings allow, and their replies are read whole or not at all."""

import pytest

from flask_app.errors import UpstreamError
from flask_app.upstream.client import Endpoint
from flask_app.upstream.web_search import DeepSeekSearch, SearchCall, SearxngSearch
from tests.support.scripted_upstream import Redirect, ScriptedUpstream, Stall, Whole
from tests.support.upstream_journal import SEARCH
from tests.support.upstream_searches import SEARXNG

KINDS = pytest.mark.parametrize("kind", [DeepSeekSearch, SearxngSearch])


@pytest.fixture(autouse=True)
def _fresh(provider: ScriptedUpstream) -> None:
    provider.forget_scripts()
    provider.journal.clear()
    provider.keys = None


@KINDS
@pytest.mark.security("providers-addresses")
def test_it_does_not_reach_into_this_network(provider: ScriptedUpstream, kind: type[SearchCall]) -> None:
    call = kind(Endpoint(provider.base_url, "key"), "high?", "high?", "r")
    with pytest.raises(UpstreamError) as caught:
        call.pages(5)
    assert caught.value.code == "upstream_address_private"
    assert (call.asked, len(provider.journal)) == (False, 0)


@KINDS
@pytest.mark.security("providers-addresses", "key-to-its-own-host")
def test_it_follows_nobody_elsewhere(provider: ScriptedUpstream, kind: type[SearchCall]) -> None:
    with ScriptedUpstream() as elsewhere:
        for path in (SEARCH, SEARXNG):
            provider.script(Redirect(elsewhere.base_url + path), path=path)
        with pytest.raises(UpstreamError) as caught:
            kind(Endpoint(provider.base_url, "key", True), "high?", "high?", "r").pages(5)
        assert (caught.value.code, len(elsewhere.journal)) == ("upstream_garbage", 0)


def test_a_searxng_that_allows_no_json_says_so(provider: ScriptedUpstream) -> None:
    provider.script(Whole(b"<!doctype html><title>Forbidden", status=403), path=SEARXNG)
    call = SearxngSearch(Endpoint(provider.base_url, "", True), "high?", "high?", "r")
    with pytest.raises(UpstreamError) as caught:
        call.pages(5)
    assert (caught.value.code, caught.value.retryable, call.status) == ("searxng_no_json", False, 403)


def test_one_that_was_shut_before_is_not_sent(provider: ScriptedUpstream) -> None:
    call = DeepSeekSearch(Endpoint(provider.base_url, "key", True), "high?", "high?", "r")
    call.shutdown()
    with pytest.raises(UpstreamError):
        call.pages(5)
    assert (call.asked, len(provider.journal)) == (False, 0)


def test_a_silent_engine_is_left(provider: ScriptedUpstream) -> None:
    provider.script(Stall(before_head=True), path=SEARCH)
    call = DeepSeekSearch(Endpoint(provider.base_url, "key", True), "high?", "high?", "r")
    with pytest.raises(UpstreamError) as caught:
        call.pages(0.3)
    assert (caught.value.code, call.asked, call.status) == ("upstream_timeout", True, None)


@KINDS
@pytest.mark.parametrize(
    "reply",
    [
        rb'{"results":[{"title":"a\ud83d","url":"https://a.example/"},%s]}',
        b'{"results":[{"title":"a\xff","url":"https://a.example/"},%s]}',
        b'{"results":[{"url":"https://a.example/","score":NaN,"rerank_score":1e999},%s]}',
        b'{"results":[null,7,"x",[],%s]}',
        b'\xef\xbb\xbf{"results":[%s]}',
    ],
)
def test_what_one_page_spoils_the_others_survive(
    provider: ScriptedUpstream, kind: type[SearchCall], reply: bytes
) -> None:
    for path in (SEARCH, SEARXNG):
        provider.script(Whole(reply % b'{"title":"Whole","url":"https://b.example/"}'), path=path)
    pages = kind(Endpoint(provider.base_url, "key", True), "high?", "high?", "r").pages(5)
    assert (pages[-1].title, pages[-1].url) == ("Whole", "https://b.example/")


@KINDS
def test_of_a_thousand_results_the_first_are_read(provider: ScriptedUpstream, kind: type[SearchCall]) -> None:
    results = b",".join(b'{"url":"https://a.example/%d"}' % number for number in range(10_000))
    for path in (SEARCH, SEARXNG):
        provider.script(Whole(b'{"results":[%s]}' % results), path=path)
    pages = kind(Endpoint(provider.base_url, "key", True), "high?", "high?", "r").pages(5)
    assert [page.url for page in pages] == [f"https://a.example/{number}" for number in range(100)]


@KINDS
@pytest.mark.parametrize("reply", [b"[]", b'{"results":null}', b"[" * 500_000, b'{"results":' + b"[" * 500_000, b"x"])
def test_what_is_no_reply_of_a_search_is_garbage(
    provider: ScriptedUpstream, kind: type[SearchCall], reply: bytes
) -> None:
    for path in (SEARCH, SEARXNG):
        provider.script(Whole(reply), path=path)
    call = kind(Endpoint(provider.base_url, "key", True), "high?", "high?", "r")
    with pytest.raises(UpstreamError) as caught:
        call.pages(5)
    assert (caught.value.code, caught.value.retryable, call.status) == ("upstream_garbage", False, 200)
