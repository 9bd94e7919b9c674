"""`/metrics`: who may ask, what it says, and that it counts what happened, once."""

import dataclasses
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_app import config, database
from flask_app.database import reading, transaction, utc_now
from flask_app.metrics import MOST_VALUES, OTHER, Bounded
from flask_app.models import ApiKey, Run
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import journal
from flask_app.services.operations import backup_service, certificate_file
from flask_app.services.providers import model_service
from flask_app.services.runs import lease_service, reaper_service, run_service
from tests.support import certificates
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage

TOKEN = "p7Qx2mVd9KtR4nYw8LbZ6sHc3JfG5aEu"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def token(app: Flask) -> Iterator[None]:
    before = config.current()
    config.install(dataclasses.replace(before, metrics_token=TOKEN))
    yield
    config.install(before)


def scraped(client: PageClient) -> dict[str, Metric]:
    reply = client.get("/metrics", headers=BEARER)
    assert reply.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(reply.text)}


def value(found: dict[str, Metric], sample: str, **labels: str) -> float:
    """All samples of this name with these labels, added up."""
    return sum(
        each.value
        for family in found.values()
        for each in family.samples
        if each.name == f"mingchat_{sample}" and labels.items() <= each.labels.items()
    )


class Difference:
    """What has been added since."""

    def __init__(self, client: PageClient) -> None:
        self.client = client
        self.before = scraped(client)

    def __call__(self, sample: str, **labels: str) -> float:
        return value(scraped(self.client), sample, **labels) - value(self.before, sample, **labels)


@pytest.fixture
def added(client: PageClient) -> Difference:
    return Difference(client)


@pytest.mark.parametrize("is_readable", [True, False])
def test_it_is_told_when_the_certificate_ends(
    client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_readable: bool
) -> None:
    file = tmp_path / "fullchain.pem"
    monkeypatch.setattr(certificate_file, "FILE", file)
    name = "mingchat_certificate_expires_timestamp_seconds"
    assert scraped(client)[name].samples == [], "there is none"
    ends = datetime(2030, 1, 2, tzinfo=UTC)
    file.write_bytes(certificates.pems("localhost", ends=ends)[0] if is_readable else b"no certificate")
    assert [each.value for each in scraped(client)[name].samples] == ([ends.timestamp()] if is_readable else [])


def test_without_the_setting_there_is_nothing(client: PageClient) -> None:
    config.install(dataclasses.replace(config.current(), metrics_token=None))
    assert client.get("/metrics", headers=BEARER).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer"}],
)
def test_another_token_opens_nothing(admin_client: PageClient, headers: dict[str, str]) -> None:
    reply = admin_client.get("/metrics", headers=headers | {"Accept": "application/json"})
    assert reply.status_code == 403
    assert reply.json["error"]["code"] == "metrics_refused"  # type: ignore[index]
    assert "mingchat_" not in reply.text


def test_an_instance_is_asked_by_its_address(client: PageClient) -> None:
    there = {"base_url": "http://10.1.2.3:5000", "headers": BEARER}
    assert client.get("/metrics", **there).status_code == 200
    assert client.get("/healthz", **there).status_code == 400, "nothing else is"


def test_it_is_what_prometheus_reads(client: PageClient) -> None:
    reply = client.get("/metrics", headers=BEARER)
    assert reply.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store"
    names = list(scraped(client))
    assert len(names) > 20
    assert all(name.startswith("mingchat_") for name in names)
    samples = [line.rpartition(" ")[0] for line in reply.text.splitlines() if not line.startswith("#")]
    assert len(samples) == len(set(samples)), "no series twice"


def test_requests_are_counted_by_route_and_status(client: PageClient, member_client: PageClient) -> None:
    added = Difference(client)
    for path in ("/api/conversations/00000000000000000000000000", "/api/conversations/11111111111111111111111111"):
        assert member_client.get(path).status_code == 404
    route = "/api/conversations/<conversation_id>"
    assert added("http_requests_total", route=route, method="GET", status="404") == 2
    assert added("http_request_duration_seconds_count", route=route) == 2
    assert added("errors_total", code="not_found") == 2


def test_an_address_that_anybody_makes_up_is_no_label(client: PageClient, added: Difference) -> None:
    client.get("/somebody/made/this/up")
    client.open("/somebody/made/this/up", method="MADEUP")
    assert added("http_requests_total", route="(none)", status="404") == 2
    said = client.get("/metrics", headers=BEARER).text
    assert "somebody" not in said
    assert "MADEUP" not in said


def test_an_answer_is_counted_once_with_its_tokens(
    client: PageClient, added: Difference, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    usage = Usage(prompt=100, cached=60, completion=50, reasoning=20)
    upstream.script(Answer(text="one two three", thinking="hm", usage=usage))
    assert _asked(member_client).status_code == 200
    assert added("answers_begun_total") == added("answers_ended_total", outcome="complete") == 1
    wait_until(lambda: added("answers_running") == 0)  # it is told before its thread has ended
    assert added("readers") == added("site_answers_running") == 0
    assert added("upstream_attempts_total", status="2xx") == added("upstream_attempts_total") == 1
    assert added("first_token_seconds_count") == added("settlement_seconds_count") == 1
    kinds = ("prompt_cached", "prompt_uncached", "reasoning", "text")
    assert [added("tokens_total", kind=kind) for kind in kinds] == [60, 40, 20, 30]
    assert added("tokens_total") == usage.total


def test_a_provider_that_refuses_is_counted_by_its_status(
    added: Difference, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    model_service.available()
    upstream.default = Status(503, retry_after=30)
    _asked(member_client)
    assert added("upstream_attempts_total", status="5xx") == 1
    assert added("answers_ended_total", outcome="failed") == 1
    assert added("tokens_total") == 0


def test_running_answers_and_their_readers_are_told(
    client: PageClient, added: Difference, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer(text="word " * 2000, tokens_per_second=50))
    stream = member_client.post("/api/chat", json={"message": "Hello"}, buffered=False)
    events = iter(stream.response)
    next(events)
    assert added("answers_running") == added("readers") == added("site_answers_running") == 1
    stream.close()
    run_service.shutdown()
    wait_until(lambda: added("answers_running") == 0)
    assert added("readers") == 0
    assert added("answers_ended_total", outcome="interrupted") == 1


def test_a_limit_that_refuses_is_counted(added: Difference, member_client: PageClient) -> None:
    for _ in range(2):
        member_client.post("/api/chat", json={"message": ""})
    assert added("errors_total", code="empty_message") == 2


def test_the_keys_that_rest_are_told(client: PageClient, upstream: ScriptedUpstream) -> None:
    model_service.available()
    assert value(scraped(client), "site_keys", state="ready") == 1
    with transaction() as session:
        session.execute(update(ApiKey).values(benched_until=utc_now() + timedelta(minutes=5)))
    found = scraped(client)
    assert (value(found, "site_keys", state="ready"), value(found, "site_keys", state="benched")) == (0, 1)


def test_what_waits_in_the_journal_is_told(client: PageClient) -> None:
    folder = journal._folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "waiting.json").write_text("{}")
    assert value(scraped(client), "journal_files") == 1


def test_a_database_that_is_away_is_told_with_the_rest(client: PageClient, database_url: str) -> None:
    assert value(scraped(client), "database_up") == 1
    database.connect("sqlite:////nowhere/at/all.db")
    try:
        found = scraped(client)
    finally:
        database.connect(database_url)
    assert value(found, "database_up") == 0
    assert found["mingchat_site_keys"].samples == []
    assert value(found, "process_resident_memory_bytes") > 10 << 20


def test_connections_are_given_back(client: PageClient, added: Difference) -> None:
    with transaction() as session:
        session.connection()
        assert added("database_connections") >= 1
    assert added("database_connections") == added("database_connections_awaited") == 0


def test_no_person_is_named(client: PageClient, member: Any, member_client: PageClient) -> None:
    _asked(member_client)
    said = client.get("/metrics", headers=BEARER).text
    assert member.id not in said
    assert f'"{member.username}"' not in said


def _asked(member_client: PageClient) -> Any:
    headers = {"Accept": "application/json"}
    return member_client.post("/api/chat", json={"message": "Hello"}, headers=headers, buffered=True)


def test_what_a_dead_worker_left_is_counted_where_it_was_booked(
    added: Difference, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    _asked(member_client)
    as_if_killed()
    before = added("tokens_total")
    lease_service.tick()
    assert added("reaped_total", kind="run") == added("reaped_total", kind="attempt") == 1
    assert added("tokens_total") > before
    after = added("tokens_total")
    lease_service.tick()
    assert added("reaped_total") == 2
    assert added("tokens_total") == after


def test_what_a_transaction_takes_back_is_not_counted(
    added: Difference, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    _asked(member_client)
    as_if_killed()
    before = added("tokens_total")
    with reading() as session:
        run_id = session.scalars(select(Run.id)).one()
    with database._bound().turn, Session(database.writer()) as session:
        assert reaper_service.reap(session, run_id)
        session.rollback()
    assert (added("reaped_total"), added("tokens_total")) == (0, before)
    lease_service.tick()


def test_a_label_has_no_end_of_values() -> None:
    label = Bounded()
    assert [label(f"model-{number}") for number in range(MOST_VALUES)][-1] == f"model-{MOST_VALUES - 1}"
    assert label("one more") == OTHER
    assert label("model-3") == "model-3"


def test_the_last_backup_is_told_once_there_is_one(client: PageClient) -> None:
    assert scraped(client)["mingchat_site_last_backup_timestamp_seconds"].samples == []
    before = utc_now().timestamp()
    backup_service.make(Actor(user=None), io.BytesIO(), None)
    assert before <= value(scraped(client), "site_last_backup_timestamp_seconds") <= utc_now().timestamp()
