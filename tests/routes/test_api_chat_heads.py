"""POST /api/chat: what a provider says beside its answer stays here."""

from typing import ClassVar

import pytest

from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.scripted_upstream import Received, ScriptedUpstream
from tests.support.upstream_answers import chunk
from tests.support.upstream_reply import Reply


class _Talkative:
    """An answer, or a refusal, whose head has much to say to a browser."""

    HEADERS: ClassVar = {
        "Set-Cookie": "canary=1",
        "Access-Control-Allow-Origin": "*",
        "Content-Security-Policy": "canary",
        "X-Accel-Redirect": "/canary",
        "Location": "https://canary.invalid/",
        "Refresh": "0;url=https://canary.invalid/",
        "X-Request-ID": "canary",
    }

    def __init__(self, status: int) -> None:
        self._status = status

    def play(self, reply: Reply, request: Received) -> None:
        if self._status != 200:
            return reply.json(self._status, {"error": {"message": "canary words"}}, headers=self.HEADERS)
        reply.open_stream(headers=self.HEADERS)
        reply.event(chunk(request.model, 1, {"content": "an answer"}))
        reply.event(chunk(request.model, 1, {}, "stop"))
        reply.event({"canary": 1}, name="canary")
        return reply.finish()


@pytest.mark.security("provider-heads-stay")
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_nothing_of_a_providers_head_or_words_of_refusal_goes_on(
    member_client: PageClient, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.script(_Talkative(status), always=True)
    response = member_client.post("/api/chat", json={"message": "hi"})
    assert response.status_code == 200
    assert ("an answer" in response.text) == (status == 200)
    assert upstream.journal.chats
    assert "canary" not in f"{response.headers}{response.text}"
    assert not set(response.headers.keys()) & {
        "Set-Cookie",
        "Access-Control-Allow-Origin",
        "X-Accel-Redirect",
        "Refresh",
    }


def test_no_proxy_holds_a_stream_back(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    response = member_client.post("/api/chat", json={"message": "hello"})
    started = events_of(response.data)[0].data
    again = member_client.get(f"/api/runs/{started['run_id']}/events")
    assert [each.headers["X-Accel-Buffering"] for each in (response, again)] == ["no", "no"]
