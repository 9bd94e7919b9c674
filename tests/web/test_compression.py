"""Pages and JSON are compressed; an event stream never is."""

import gzip

import brotli
import pytest

from flask_app.models import User
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, ScriptedUpstream


@pytest.mark.parametrize("accepted", ["gzip", "br", "gzip, deflate, br, zstd"])
def test_a_page_is_compressed_as_the_browser_likes(client: PageClient, admin: User, accepted: str) -> None:
    plain = client.get("/login").data
    response = client.get("/login", headers={"Accept-Encoding": accepted})
    coding = response.headers["Content-Encoding"]
    assert coding == ("gzip" if accepted == "gzip" else "br")
    unpacked = gzip.decompress(response.data) if coding == "gzip" else brotli.decompress(response.data)
    assert len(response.data) < len(plain) / 2
    assert b"<html" in unpacked
    assert "Accept-Encoding" in response.headers["Vary"]


def test_what_is_small_stays_as_it_is(client: PageClient) -> None:
    assert "Content-Encoding" not in client.get("/healthz", headers={"Accept-Encoding": "br"}).headers


def test_an_event_stream_passes_untouched(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("word " * 500))
    response = member_client.post("/api/chat", json={"message": "go"}, headers={"Accept-Encoding": "br, gzip"})
    assert response.mimetype == "text/event-stream"
    assert len(response.data) > 500
    assert "Content-Encoding" not in response.headers
    assert "Vary" not in response.headers
