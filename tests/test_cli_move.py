"""`flask move`: from one database to another, row by row, or not at all."""

import dataclasses
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from click.testing import Result
from flask import Flask
from sqlalchemy import insert, select, text

from flask_app import config, database
from flask_app.database import Base, transaction
from flask_app.models import AuditEntry, ChatModel, User
from scripts import instance_lock
from tests.conftest import MakeUser
from tests.support import databases, ledger, passkeys
from tests.support.keys import keep_key, keep_provider
from tests.support.storage import alembic_config
from tests.test_cli_usage import NOON


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """By no library: what a move has to say are sentences, and a failure is one too."""
    yield
    assert caplog.get_records("call") == []


@pytest.fixture
def site(app: Flask, make_user: MakeUser, tmp_path: Path) -> Iterator[Flask]:
    """A site on SQLite, with all that the tests' own database holds."""
    person = make_user("小明🙂")
    ledger.write(
        [
            ledger.entry(person.id, NOON, cost_micros=2**62),
            ledger.entry("gone", NOON, cost_micros=None, currency=None, peak=None),
        ]
    )
    keep_key(keep_provider("one", "https://one.example", models=["m"]), "k", secret=bytes(range(256)))
    passkeys.keep(person.id)
    rows = {table: list(_mappings(table)) for table in Base.metadata.sorted_tables}
    url = f"sqlite:///{tmp_path / 'small.db'}"
    command.upgrade(alembic_config(url), "head")
    use(url, tmp_path)
    with transaction() as session:
        for table, values in rows.items():
            session.execute(table.delete())
            if values:
                session.execute(insert(table), values)
    yield app
    database.disconnect()


def _mappings(table: object) -> Iterator[dict[str, object]]:
    with database.reading() as session:
        yield from (dict(row) for row in session.execute(select(table)).mappings())  # type: ignore[call-overload]


def use(url: str, instance: Path) -> None:
    config.install(dataclasses.replace(config.current(), database_url=url, instance_dir=instance))
    database.connect(url)


@pytest.fixture
def target(site: Flask, database_url: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the kind that the tests run on."""
    (tmp_path / "那里").mkdir()
    with databases.another(database_url, tmp_path / "那里") as url:
        yield url
        database.disconnect()


def run(app: Flask, *arguments: str, content: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["move", *arguments], input=content)


def assert_nothing(url: str) -> None:
    if url.startswith("sqlite"):
        assert list(Path(url.removeprefix("sqlite:///")).parent.iterdir()) == []
    else:
        assert databases.table_names(url) == set()


def test_every_row_comes_over_and_it_says_how_to_go_on(site: Flask, target: str) -> None:
    before = databases.rows_of(config.current().database_url)
    result = run(site, "--to", target)
    assert result.exit_code == 0, result.output
    after = databases.rows_of(target)
    assert [row[3] for row in after["audit_log"]][-1:] == ["database.move"]
    assert {**after, "audit_log": []} == {**before, "audit_log": []}
    assert databases.rows_of(config.current().database_url) == before
    copied, *said = result.output.splitlines()
    assert re.fullmatch(r"Copied \d+ rows of \d+ tables, and compared each of them\.", copied)
    there = re.sub(r":[^:@/]+@", ":***@", target)
    assert said == [
        "The ledger is equal, in tokens and money: 2 entries of 2 people. It is verified.",
        f"To go on there, put it into .env and start: DATABASE_URL={there}",
        f"{config.current().database_url} is as it was: keep it until you are content.",
    ]
    command.check(alembic_config(target))
    again = run(site, "--to", target)
    assert (again.exit_code, "in use already" in again.output) == (1, True)


def test_the_address_may_come_by_the_standard_input(site: Flask, target: str) -> None:
    command.upgrade(alembic_config(target), "head")
    assert run(site, "--to", "-", content=f"{target}\n").exit_code == 0
    with database.reading() as session:
        (entry,) = session.scalars(select(AuditEntry)).all()
    assert (entry.action, json.loads(entry.details)["to"]) == ("database.move", re.sub(r":[^:@/]+@", ":***@", target))


def test_a_database_in_use_is_left_alone(site: Flask, target: str) -> None:
    command.upgrade(alembic_config(target), "head")
    here = config.current().database_url
    database.connect(target)
    with transaction() as session:
        session.add(User(username="there", username_key="there"))
    before = databases.rows_of(target)
    database.connect(here)
    result = run(site, "--to", target)
    assert (result.exit_code, "in use already" in result.output) == (1, True)
    assert databases.rows_of(target) == before


@pytest.mark.parametrize("url", ["postgresql://x", "", "no address"])
def test_what_is_no_address_of_a_database_is_refused(site: Flask, url: str) -> None:
    result = run(site, "--to", url)
    assert (result.exit_code, "begins with one of: mysql+pymysql://" in result.output) == (1, True)
    itself = run(site, "--to", config.current().database_url)
    assert (itself.exit_code, "in use already" in itself.output) == (1, True)


def test_while_a_server_runs_nothing_is_moved(site: Flask, target: str, tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("there is no lock")
    with instance_lock.held(tmp_path):
        (tmp_path / instance_lock.NAME).write_text(f"{instance_lock.SERVING} 1234")
        result = run(site, "--to", target)
    assert (result.exit_code, "MingChat runs on" in result.output) == (1, True)
    assert_nothing(target)


def test_a_row_that_the_other_does_not_take_is_named_and_nothing_stays(site: Flask, target: str) -> None:
    """SQLite tells "GPT" from "gpt", and has no limit; references are not looked at while a file is mended by hand."""
    with transaction() as session:
        provider = session.execute(select(ChatModel.provider_id)).scalars().first()
        names = ["GPT", "gpt"]
        session.add_all(ChatModel(provider_id=provider, name=name, label="x" * 300) for name in names)
    result = run(site, "--to", target)
    if target.startswith("sqlite"):
        assert result.exit_code == 0
        return
    assert (result.exit_code, "did not take a row of models" in result.output) == (1, True)
    assert_nothing(target)


def test_a_reference_that_leads_nowhere_is_found(site: Flask, target: str) -> None:
    with database.engine().connect() as connection:
        driver = connection.connection.cursor()
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("UPDATE api_keys SET provider_id = 'nobody'")
        driver.close()
    database.disconnect()
    result = run(site, "--to", target)
    assert (result.exit_code, "(api_keys.provider_id)" in result.output) == (1, True)
    assert_nothing(target)


def test_an_empty_file_has_nothing_to_move(site: Flask, target: str, tmp_path: Path) -> None:
    use(f"sqlite:///{tmp_path / 'nothing.db'}", tmp_path)
    with transaction() as session:
        session.execute(text("CREATE TABLE x (y INTEGER)"))
    result = run(site, "--to", target)
    assert (result.exit_code, "holds no tables yet" in result.output) == (1, True)
