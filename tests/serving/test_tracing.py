"""The real server, with traces and error reports: they leave from its workers, the last when it ends."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.brokers import wait_until
from tests.support.ingest import Ingest, attributes
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with Ingest() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, ingest: Ingest) -> Iterator[Served]:
    with ScriptedUpstream() as upstream:
        settings = {
            "DEEPSEEK_API_KEY": "test-key",
            "DEEPSEEK_BASE_URL": upstream.base_url,
            "ALLOW_INSECURE_UPSTREAMS": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": ingest.collector,
            "SENTRY_DSN": ingest.dsn,
        }
        with served(tmp_path, **settings) as running:
            running.set_up()
            yield running


def test_the_last_spans_are_sent_when_the_server_ends(server: Served, ingest: Ingest) -> None:
    names = [name for name, _ in server.chat("Hello")]
    assert names[-1] == "done"
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    by_name = {span.name: span for span in ingest.spans}
    request, attempt = by_name["POST /api/chat"], by_name["chat DeepSeek"]
    assert attempt.parent_span_id == request.span_id
    assert [event.name for event in attempt.events] == ["first_token"]


def test_spans_are_sent_while_it_runs_and_no_request_is_another_ones_part(server: Served, ingest: Ingest) -> None:
    for _ in range(5):
        assert server.get("/healthz").status == 200

    def alive() -> list[bytes]:
        return [span.trace_id for span in ingest.spans if attributes(span).get("http.route") == "/healthz"]

    wait_until(lambda: len(alive()) >= 5, 60)
    assert len(set(alive())) == len(alive())
    assert not any(span.parent_span_id for span in ingest.spans)
