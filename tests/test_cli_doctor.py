"""`flask doctor`: what is wrong is named, with what to do, and the exit status says so."""

import dataclasses
import os
import re
import shutil
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text, update

from flask_app import config, database
from flask_app.column_types import ByServer
from flask_app.database import transaction
from flask_app.models import ApiKey, AuditEntry
from flask_app.services.audit import audit_service
from flask_app.services.ledger import journal
from flask_app.services.operations import doctor_service
from flask_app.services.providers import model_service
from tests.support import ports, redis_server
from tests.support.mail_server import MailServer
from tests.support.scripted_upstream import Received, ScriptedUpstream, Status
from tests.support.upstream_reply import Reply
from tests.support.warned import use_mail

Usage = namedtuple("Usage", "total used free")


class Early:
    """A list of models from a provider whose clock is two minutes ahead."""

    def play(self, reply: Reply, request: Received) -> None:
        ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
        reply.json(200, {"data": [{"id": "deepseek-flash"}]}, headers={"Date": ahead})


@pytest.fixture
def key(upstream: ScriptedUpstream) -> ScriptedUpstream:
    """The provider, once its key is stored."""
    model_service.available()
    return upstream


def examined(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["doctor"])


def use(**settings: Any) -> None:
    """Settings that the application did not start with."""
    config.install(dataclasses.replace(config.current(), **settings))


@pytest.fixture(autouse=True)
def settings_as_before(app: Flask) -> Iterator[None]:
    before = config.current()
    yield
    config.install(before)


def test_a_sound_site_has_nothing_but_ok(app: Flask, key: ScriptedUpstream) -> None:
    back_up(timedelta(hours=5))
    result = examined(app)
    assert result.exit_code == 0
    # Each December the holidays of the coming year are in doubt, until its days are published and come with a version.
    said = re.sub(r"\S+ +holidays of CN: not confirmed.*\n +→ .*\n", "", result.output)
    assert [line for line in said.splitlines() if not line.startswith("ok ")] == []
    for what in (
        "database: ",
        "schema: 00",
        "clock: 0 s",
        "models, ",
        "disk: ",
        "journal: empty",
        "hosts: this machine",
        "backup: the last one is 0 days and 5 hours old",
    ):
        assert what in result.output


@pytest.mark.parametrize(("status", "said"), [(401, "does not accept this key"), (503, "overloaded")])
def test_a_key_that_does_not_open_its_provider_is_bad(
    app: Flask, key: ScriptedUpstream, status: int, said: str
) -> None:
    key.script(Status(status), path="/models")
    result = examined(app)
    assert result.exit_code == 1
    assert f"does not work at {key.base_url}" in result.output
    assert said in result.output


def test_a_provider_in_a_private_network_names_the_setting_that_allows_it(app: Flask, key: ScriptedUpstream) -> None:
    use(allow_insecure_upstreams=False)
    assert "ALLOW_INSECURE_UPSTREAMS=1" in examined(app).output


def test_a_key_that_cannot_be_decrypted_is_bad(app: Flask, key: ScriptedUpstream) -> None:
    with transaction() as session:
        session.execute(update(ApiKey).values(secret=b"damaged"))
    result = examined(app)
    assert result.exit_code == 1
    assert "ENCRYPTION_KEY" in result.output


def test_no_key_at_all_is_worth_a_word(app: Flask) -> None:
    use(deepseek_api_key=None)
    result = examined(app)
    assert result.exit_code == 0
    assert "keys: none can be asked" in result.output


@pytest.mark.parametrize(
    ("found", "exit_code", "words"), [("0001", 1, "the code's is "), ("9999", 0, "of a newer version; the code's is ")]
)
def test_another_schema_is_told(app: Flask, key: ScriptedUpstream, found: str, exit_code: int, words: str) -> None:
    def to(number: str) -> None:
        with transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})

    with transaction() as session:
        newest = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    to(found)
    try:
        result = examined(app)
    finally:
        to(newest)
    assert result.exit_code == exit_code
    assert f"schema: {found}, {words}{newest}" in result.output


def test_a_database_that_is_away_is_bad_and_the_rest_is_looked_at(app: Flask, database_url: str) -> None:
    away = "sqlite:////nowhere/at/all.db"
    database.connect(away)
    try:
        result = examined(app)
    finally:
        database.connect(database_url)
    assert result.exit_code == 1
    assert "BAD     database: " in result.output
    assert "disk: " in result.output


def test_clocks_that_differ_are_worth_a_word(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_service, "ByServer", lambda seconds: ByServer(seconds + 60))
    assert "from the database's\n        → Set both by NTP" in examined(app).output


def test_a_provider_whose_clock_differs_is_worth_a_word(app: Flask, key: ScriptedUpstream) -> None:
    key.script(Early(), path="/models")
    result = examined(app)
    assert result.exit_code == 0
    assert re.search(r"warning clock: 1[12]\d s from that of DeepSeek\n +→ Set both by NTP", result.output)
    assert ": 1 model, " in result.output


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_secrets_that_others_may_read_are_worth_a_word(app: Flask) -> None:
    file = config.current().instance_dir / "secrets.json"
    file.write_text("{}")
    for mode, is_told in ((0o644, True), (0o640, True), (0o600, False)):
        file.chmod(mode)
        assert (f"secrets: others may read {file}\n        → Run: chmod 600 {file}" in examined(app).output) == is_told
    file.unlink()


@pytest.mark.parametrize(("mode", "is_told"), [(0o640, True), (0o600, False)])
def test_a_database_that_others_may_read_is_named(
    app: Flask, chosen_database: str, *, mode: int, is_told: bool
) -> None:
    """One that was kept aside: nobody opens it any more, and it has no other mode by itself."""
    if chosen_database != "sqlite":
        pytest.skip("it has no file")
    file = Path(f"{database.engine().url.database}.before-20260101-000000")
    file.touch()
    file.chmod(mode)
    words = f"database: others may read {file}\n        → Run: chmod 600 {file}"
    assert (words in examined(app).output) == is_told
    file.unlink()


def test_a_database_elsewhere_has_a_disk_of_its_own(app: Flask, tmp_path: Path) -> None:
    use(instance_dir=tmp_path)
    output = examined(app).output
    is_sqlite = database.engine().dialect.name == "sqlite"
    assert ("ok      disk of the database: " in output) == is_sqlite


def back_up(ago: timedelta) -> None:
    """As if there had been a backup so long ago."""
    with transaction() as session:
        audit_service.record(session, None, "backup.make", "database", {})
        session.flush()
        session.execute(update(AuditEntry).values(created_at=datetime.now(UTC) - ago - timedelta(minutes=1)))


def test_a_backup_that_is_old_or_was_never_made_is_worth_a_word(app: Flask, key: ScriptedUpstream) -> None:
    result = examined(app)
    assert result.exit_code == 0
    assert "warning backup: there never was one\n        → Run flask backup each night" in result.output
    back_up(timedelta(days=1, hours=1))
    assert "ok      backup: the last one is 1 day and 1 hour old" in examined(app).output
    back_up(timedelta(days=4))
    assert "warning backup: the last one is 4 days and 0 hours old" in examined(app).output


def test_a_mail_server_that_takes_us_is_sent_nothing(app: Flask) -> None:
    assert "mail: " not in examined(app).output
    with MailServer() as server:
        use_mail(server.port)
        assert "ok      mail: 127.0.0.1 takes us" in examined(app).output
        assert server.mails == []


def test_a_mail_server_that_does_not_take_us_is_bad(app: Flask) -> None:
    use_mail(ports.free_port())
    result = examined(app)
    assert result.exit_code == 1
    assert "BAD     mail: 127.0.0.1: The mail server cannot be reached" in result.output


def test_redis_is_looked_at_where_there_is_one(app: Flask) -> None:
    with redis_server.server() as running:
        use(redis_url=running.url)
        assert "ok      redis: " in examined(app).output
    result = examined(app)
    assert result.exit_code == 1
    assert "BAD     redis: " in result.output


@pytest.mark.parametrize(("free", "level", "status"), [(2000, "ok", 0), (500, "warning", 0), (50, "BAD", 1)])
def test_little_room_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch, free: int, level: str, status: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free << 20))
    result = examined(app)
    assert result.exit_code == status
    assert f"{level:8}disk: {free:,} MB free" in result.output


def test_what_the_journal_holds_is_told(app: Flask) -> None:
    folder = journal._folder()
    (folder / "aside").mkdir(parents=True, exist_ok=True)
    left = [folder / "waiting.json", folder / "aside" / "late.late"]
    for file in left:
        file.write_text("{}")
    try:
        output = examined(app).output
    finally:
        for file in left:
            file.unlink()
    assert "journal: 1 settlement waiting" in output
    assert "journal: 1 file set aside" in output


def test_hosts_and_proxies_belong_together(app: Flask) -> None:
    use(trusted_proxies=1)
    assert "Set ALLOWED_HOSTS" in examined(app).output
    use(trusted_proxies=0, allowed_hosts=("localhost", "chat.invalid"))
    assert "set TRUSTED_PROXIES=1" in examined(app).output
    use(trusted_proxies=1)
    assert "certificate of chat.invalid: not to be reached from here" in examined(app).output


def test_nothing_is_changed(app: Flask, key: ScriptedUpstream, tmp_path: Path) -> None:
    with transaction() as session:
        before = session.execute(text("SELECT count(*) FROM audit_log")).scalar_one()
    examined(app)
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM audit_log")).scalar_one() == before
