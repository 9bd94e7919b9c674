"""How the site stands, for administrators: what it needs, who serves, and what was done on schedule."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, text, update

from flask_app import config, i18n
from flask_app.database import new_id, transaction, utc_now
from flask_app.files_setting import FilesPlace
from flask_app.models import AuditEntry, ServerProcess
from flask_app.services.audit import audit_service
from flask_app.services.operations import process_service, upkeep_service
from tests.support import stores
from tests.support.clients import PageClient
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream

SYSTEM = "/api/admin/system"


def process(host: str = "one", **fields: Any) -> None:
    now = utc_now()
    usual: dict[str, Any] = {"process": 7, "version": config.VERSION, "started_at": now, "seen_at": now}
    usual |= {"free_bytes": 5 << 30, "waiting": 0, "jobs": "{}"}
    with transaction() as session:
        session.execute(insert(ServerProcess), [{"id": new_id(), "host": host} | usual | fields])


def codes(client: PageClient) -> dict[str, str]:
    """What was looked at → how it is."""
    reply = client.get(SYSTEM)
    assert reply.status_code == 200
    return {check["code"]: check["state"] for check in reply.get_json()["checks"]}


def facts(client: PageClient, code: str) -> dict[str, Any]:
    return next(check["facts"] for check in client.get(SYSTEM).get_json()["checks"] if check["code"] == code)


def test_a_new_site_says_what_is_there_and_what_is_not(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    admin_client.get("/api/models")  # the environment's key is stored at first use
    assert codes(admin_client) == {
        "database_ok": "ok",
        "schema_ok": "ok",
        "redis_none": "ok",
        "keys_ok": "ok",
        "backup_never": "warning",
        "processes_ok": "ok",
        "journal_empty": "ok",
        "files_database": "ok",
        "mail_none": "ok",
    }
    assert facts(admin_client, "keys_ok") == {"count": 1, "total": 1}
    assert upstream.journal.chats == []


def test_a_round_of_the_upkeep_tells_who_serves_and_what_was_done(admin_client: PageClient) -> None:
    upkeep_service.tick()
    upkeep_service.tick()
    told = admin_client.get(SYSTEM).get_json()
    (served,) = told["processes"]
    assert (served["version"], served["silent"]) == (config.VERSION, False)
    assert served["free_bytes"] > 0
    assert {job["name"] for job in told["jobs"]} == {job.__module__.rpartition(".")[2] for job in upkeep_service.JOBS}
    assert not any(job["failed"] for job in told["jobs"])
    assert len(told["jobs"]) == len(upkeep_service.JOBS), "each has a name of its own"


def test_each_job_has_words_for_what_it_does() -> None:
    for job in upkeep_service.JOBS:
        assert " " in i18n.translate("en", f"js.admin.job_{job.__module__.rpartition('.')[2]}")


def test_a_job_that_fails_is_told(admin_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    fails.__module__ = "flask_app.services.gateway.word_log"
    monkeypatch.setattr(upkeep_service, "JOBS", (fails,))
    upkeep_service.tick()
    failed = [job["name"] for job in admin_client.get(SYSTEM).get_json()["jobs"] if job["failed"]]
    assert failed == ["word_log"]


def test_the_latest_of_all_processes_is_told_of_a_job(admin_client: PageClient) -> None:
    process("one", jobs='{"word_log": ["2026-01-02T00:00:00+00:00", true]}')
    process("two", jobs='{"word_log": ["2026-01-03T00:00:00+00:00", false]}')
    (job,) = admin_client.get(SYSTEM).get_json()["jobs"]
    assert (job["at"][:10], job["failed"]) == ("2026-01-03", False)


def test_who_has_not_told_for_a_while_is_silent_and_after_a_day_forgotten(admin_client: PageClient) -> None:
    process("fresh")
    process("silent", seen_at=utc_now() - process_service.SILENT - timedelta(seconds=5))
    process("gone", seen_at=utc_now() - process_service.FORGOTTEN - timedelta(seconds=5))
    found = {each["host"]: each["silent"] for each in admin_client.get(SYSTEM).get_json()["processes"]}
    assert found == {"fresh": False, "silent": True, "gone": True}
    assert facts(admin_client, "processes_ok") == {"count": 1, "hosts": 1}
    process_service.tell({})
    found = {each["host"]: each["silent"] for each in admin_client.get(SYSTEM).get_json()["processes"]}
    assert "gone" not in found
    assert len(found) == 3


def test_who_has_ended_serves_no_more_and_what_its_jobs_did_stays_known(admin_client: PageClient) -> None:
    process("serving", free_bytes=9 << 30)
    process("ended", ended_at=utc_now(), free_bytes=1, jobs='{"word_log": ["2026-01-03T00:00:00+00:00", true]}')
    told = admin_client.get(SYSTEM).get_json()
    assert [each["host"] for each in told["processes"]] == ["serving"]
    assert facts(admin_client, "processes_ok") == {"count": 1, "hosts": 1}
    assert "space_little" not in codes(admin_client)
    assert [(job["at"][:10], job["failed"]) for job in told["jobs"]] == [("2026-01-03", True)]


def test_a_process_that_ends_says_so(admin_client: PageClient) -> None:
    process_service.tell({})
    assert len(admin_client.get(SYSTEM).get_json()["processes"]) == 1
    process_service.end()
    assert admin_client.get(SYSTEM).get_json()["processes"] == []


def test_the_instance_with_the_least_room_is_named(admin_client: PageClient) -> None:
    process("roomy")
    process("full", free_bytes=99 << 20, waiting=3)
    process("was full", free_bytes=1, seen_at=utc_now() - timedelta(hours=1))
    assert codes(admin_client)["space_little"] == "bad"
    assert facts(admin_client, "space_little") == {"megabytes": 99, "host": "full"}
    assert facts(admin_client, "journal_waits") == {"count": 3}


def test_versions_that_differ_are_told(admin_client: PageClient) -> None:
    process("new")
    process("old", version="0.0.9")
    assert codes(admin_client)["processes_mixed"] == "warning"
    assert facts(admin_client, "processes_mixed")["versions"] == f"0.0.9, {config.VERSION}"


@pytest.mark.parametrize(
    ("schema", "code", "state"), [("0001", "schema_older", "bad"), ("9999", "schema_newer", "warning")]
)
def test_another_schema_is_told(admin_client: PageClient, schema: str, code: str, state: str) -> None:
    with transaction() as session:
        newest = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = :schema"), {"schema": schema})
    try:
        assert codes(admin_client)[code] == state
    finally:
        with transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :schema"), {"schema": newest})


def test_a_key_that_rests_is_named(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    provider_id = keep_provider("Elsewhere", upstream.base_url, models=["elsewhere-1"])
    now = utc_now()
    keep_key(provider_id, "rests", benched_since=now, benched_until=now + timedelta(minutes=10))
    keep_key(provider_id, "works")
    told = admin_client.get(SYSTEM).get_json()
    assert [(key["label"], key["provider"], key["state"]) for key in told["keys"]] == [
        ("rests", "Elsewhere", "benched")
    ]
    assert codes(admin_client)["keys_rest"] == "warning"


@pytest.mark.parametrize(("days", "state"), [(0, "ok"), (2, "ok"), (4, "warning")])
def test_an_old_backup_is_worth_a_word(admin_client: PageClient, days: int, state: str) -> None:
    with transaction() as session:
        audit_service.record(session, None, "backup.make", "database", {"rows": 5})
    with transaction() as session:
        session.execute(update(AuditEntry).values(created_at=utc_now() - timedelta(days=days)))
    assert codes(admin_client)["backup_at"] == state


def test_members_and_strangers_do_not_see_it(client: PageClient, member_client: PageClient) -> None:
    assert client.get(SYSTEM).status_code == 401
    assert member_client.get(SYSTEM).status_code == 403


def test_the_number_of_queries_does_not_grow(
    app: Flask, admin_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    process()
    admin_client.get(SYSTEM)
    with query_count() as few:
        admin_client.get(SYSTEM)
    for number in range(20):
        process(f"host {number}")
    with query_count() as many:
        admin_client.get(SYSTEM)
    assert len(many) == len(few) < 12


def test_no_secret_is_told(admin_client: PageClient) -> None:
    settings = config.current()
    page = admin_client.get("/admin/system").get_data(as_text=True)
    assert not [each for each in (settings.secret_key, settings.encryption_key, settings.database_url) if each in page]


def test_it_says_where_what_is_in_files_lies(admin_client: PageClient, tmp_path: Path) -> None:
    assert facts(admin_client, "files_database") == {"in_database": 0, "in_store": 0}
    stores.use(FilesPlace(folder=tmp_path))
    assert facts(admin_client, "files_store") == {"in_database": 0, "in_store": 0, "place": str(tmp_path)}
    place = FilesPlace(bucket="files", endpoint="https://s3.example.org", access_key="AK", secret_key="hidden")
    stores.use(place)
    assert facts(admin_client, "files_store")["place"] == "s3://files (https://s3.example.org)"
    stores.use(None)
