"""One key, one answer, one entry: across instances and workers, and by OpenAI's own client asking again."""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2
import openai
import pytest
from openai import OpenAI

from tests.support.brokers import wait_until
from tests.support.instances import Site
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream
from tests.support.served import served_to_programs
from tests.support.together import at_once

MODEL = "deepseek-flash"
KEYED = {"Idempotency-Key": "order-66"}


def test_the_database_of_all_instances_lets_one_answer(site: Site) -> None:
    site.upstream.script(Answer("one two three", tokens_per_second=20))
    secret = site.first.post("/api/tokens", {"name": "the sdk"}).json()["secret"]
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                OpenAI(base_url=f"{instance.base_url}/v1", api_key=secret, max_retries=0, default_headers=KEYED)
            )
            for instance in (site.first, site.second) * 6
        ]

        def ask(number: int) -> str:
            return clients[number].responses.create(model=MODEL, input="Hello.").id

        told = at_once(len(clients), ask)
        ids = {answer for answer in told if isinstance(answer, str)}
        refused = [answer for answer in told if isinstance(answer, openai.ConflictError)]
        assert len(ids) == 1
        assert len(refused) == len(clients) - sum(isinstance(answer, str) for answer in told)
        assert {error.code for error in refused} == {"idempotency_key_in_use"}
        wait_until(lambda: site.row("SELECT count(*) AS kept FROM program_keys WHERE reply IS NOT NULL").kept == 1)
        assert {ask(number) for number in range(len(clients))} == ids
    assert len(site.upstream.journal.chats) == 1
    assert site.row("SELECT count(*) AS entries FROM token_usage").entries == 1


def test_the_client_gets_a_reply_that_it_did_not_wait_for(tmp_path: Path) -> None:
    """It asks again by itself, under the same key, until the answer is there."""
    gate = Gate(1)
    with ScriptedUpstream() as upstream, served_to_programs(tmp_path, upstream) as server:
        upstream.script(Answer("one two three", gate=gate))
        secret = server.post("/api/tokens", {"name": "the sdk"}).json()["secret"]

        def open_later() -> None:
            upstream.journal.wait_for(1)
            time.sleep(3)  # longer than the client waits
            gate.open()

        opening = threading.Thread(target=open_later)
        opening.start()
        patience = httpx2.Timeout(2)
        with OpenAI(base_url=f"{server.base_url}/v1", api_key=secret, max_retries=30, timeout=patience) as client:
            made = client.responses.create(model=MODEL, input="Hello.", extra_headers=KEYED)
            again = client.responses.with_raw_response.create(model=MODEL, input="Hello.", extra_headers=KEYED)
            with pytest.raises(openai.ConflictError) as other:
                client.responses.create(model=MODEL, input="Another.", extra_headers=KEYED)
        opening.join()
        assert made.output_text == "one two three"
        assert again.parse().id == made.id
        assert again.headers["idempotent-replayed"] == "true"
        assert other.value.code == "idempotency_key_reused"
        (record,) = server.get("/api/usage/records").json()["records"]
        assert record["outcome"] == "complete"
        assert len(upstream.journal.chats) == 1
