"""Asking for an answer that does not end by itself."""

from flask_app.services.runs import run_service
from tests.support.another_worker import Following
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import text_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ENDLESS = Answer("word " * 2000, tokens_per_second=50)


def send(client: PageClient, upstream: ScriptedUpstream, *, begun: bool = True) -> Following:
    client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    wait_until(run_service.live_runs)
    (live,) = run_service.live_runs()
    reader = Following(client, live.begun.run_id)
    if begun:
        wait_until(lambda: text_of(reader.events))
    return reader
