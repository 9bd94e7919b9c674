"""Alembic is the only source of tables: what it makes is what the models say, and it goes back as well."""

import ast
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    create_engine,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.pool import NullPool

from flask_app import database
from flask_app.database import Base
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.models import SpentDaily, SpentMonthly, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import usage_check_service
from flask_app.services.ledger.refund_service import NEGATED
from flask_app.services.tariffs.tariff_service import Priced
from tests.support import ledger, mariadb
from tests.support.storage import alembic_config

MIGRATIONS = sorted((Path(__file__).parents[1] / "migrations" / "versions").glob("0*.py"))
OLD_PERSON = text(
    "INSERT INTO users (id, username, username_key, role, disabled, theme, created_at)"
    " VALUES (:name, :name, :name, 'member', 0, 'system', '2026-01-01')"
)


@pytest.fixture
def empty_url(chosen_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database without tables."""
    if chosen_database == "mariadb":
        with mariadb.server() as url:
            yield url
    else:
        yield f"sqlite:///{tmp_path_factory.mktemp('migrations') / 'empty.db'}"


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    command.check(alembic_config(database_url))
    engine = create_engine(database_url, poolclass=NullPool)
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    engine.dispose()


def test_whatever_refers_to_a_row_is_found_by_an_index() -> None:
    """SQLite looks for it whenever that row is deleted, through the whole table where there is none."""
    for table in Base.metadata.tables.values():
        unique = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint | PrimaryKeyConstraint)]
        first = {next(iter(columns)).name for columns in [*unique, *(index.columns for index in table.indexes)]}
        referring = {column.name for column in table.columns if column.foreign_keys} - {"successor_id"}
        assert referring <= first, f"{table.name} (models are few, and stay)"


def _calls_of_upgrade(file: Path) -> list[ast.Call]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    own = [function for name, function in functions.items() if name != "downgrade"]
    return [node for function in own for node in ast.walk(function) if isinstance(node, ast.Call)]


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: file.stem)
def test_a_version_that_still_runs_can_write_to_the_migrated_tables(file: Path) -> None:
    """It knows nothing of a new column, which fills itself then, and misses nothing."""
    calls = _calls_of_upgrade(file)
    assert {_name_of(call) for call in calls}.isdisjoint({"drop_column", "drop_table", "rename_table"})
    for column in [each for call in calls if _name_of(call) == "add_column" for each in call.args]:
        if isinstance(column, ast.Call):
            given = {word.arg: ast.unparse(word.value) for word in column.keywords}
            assert given["nullable"] == "True" or "server_default" in given, ast.unparse(column)


def test_migrations_go_back_to_nothing_and_forth_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('migrations') / 'empty.db'}"
    config = alembic_config(url)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    engine = create_engine(url, poolclass=NullPool)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
    command.check(config)
    engine.dispose()


def test_the_roll_up_begins_with_what_the_ledger_had(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "0010")
    engine = create_engine(empty_url, poolclass=NullPool)
    moments = [datetime(2026, 11, 25, tzinfo=UTC) - timedelta(hours=hours) for hours in (0, 1, 30, 24 * 40)]
    prices: list[dict[str, Any]] = [{}, {"cost_micros": None, "currency": None, "peak": None, "key_id": "key"}]
    entries = [ledger.entry(user, at, **price) for user in "ab" for at in moments for price in prices]
    _write_old(engine, entries)
    engine.dispose()
    command.upgrade(config, "head")
    database.connect(empty_url)
    assert ledger.unsound() == []
    assert usage_check_service.count_entries() == len(entries)
    database.disconnect()


def test_what_cache_and_peak_hours_were_worth_is_found_by_the_old_prices(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "0013")
    database.connect(empty_url)
    at_peak = datetime(2026, 11, 25, 3, tzinfo=UTC)
    usual, high = Prices(20_000, 1_000_000, 4_000_000), Prices(40_000, 2_000_000, 8_000_000)
    flash = "deepseek-flash.CNY.2026-09-10"
    priced = [Priced(flash, high, usual, peak=True), Priced(flash, usual, usual, peak=False)]
    usage, settled = Usage(100, 60, 50, 20), []
    for each in priced:
        costs = {"cost_micros": each.cost(usage), "peak": each.peak, "tariff_id": each.tariff_id}
        settled.append(ledger.entry("person", at_peak, **costs))
    engine = create_engine(empty_url, poolclass=NullPool)
    _write_old(engine, settled)
    command.upgrade(config, "head")
    with database.reading() as session:
        entries = session.scalars(select(TokenUsage).order_by(TokenUsage.peak.desc())).all()
    assert [entry.peak for entry in entries] == [True, False]
    expected = [(each.cache_saved(usage), each.peak_extra(usage)) for each in priced]
    assert [(entry.cache_saved_micros, entry.peak_extra_micros) for entry in entries] == expected
    assert ledger.unsound() == []
    command.downgrade(config, "0013")
    engine.dispose()
    database.disconnect()


def test_what_was_settled_without_its_token_is_told_and_counted_for_it(empty_url: str) -> None:
    """By the version before, before the migration and after it: neither changes the ledger, nor does the rebuild."""
    config = alembic_config(empty_url)
    command.upgrade(config, "0030")
    engine = create_engine(empty_url, poolclass=NullPool)
    old = {name: Table(name, MetaData(), autoload_with=engine) for name in ("proxy_logs", "token_usage")}
    database.connect(empty_url)
    for each in ("1", "2"):
        for attempt, entries in _of_the_version_before(each):
            database.in_writing(partial(_write_as_before, old, attempt, entries))
        if each == "1":
            command.upgrade(config, "head")
    before = _ledger_rows()
    assert len(before) == 9
    assert {row["token_id"] for row in before} == {None}
    found = {finding.where for finding in usage_check_service.verify() if finding.what == "spent by day"}
    missing = [("one", "tokens", 600), ("one", "CNY", 2000), ("two", "tokens", 150), ("two", "CNY", 1000)]
    terms = "scope=token scope_id={} unit={} day=2026-11-25 amount={}".format
    assert found == {terms(*each) for each in missing}
    assert len(ledger.unsound()) == len(missing)
    usage_check_service.rebuild(Actor(None))
    assert ledger.unsound() == []
    with database.fetching() as connection:
        used = connection.execute(
            text("SELECT scope_id, unit, amount FROM spent_daily WHERE scope = 'token' AND amount <> 0")
        )
        assert sorted(tuple(row) for row in used) == sorted(missing)
    assert _ledger_rows() == before
    database.disconnect()
    command.downgrade(config, "0030")
    engine.dispose()


def test_the_months_of_tokens_begin_with_their_days(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "head")
    database.connect(empty_url)
    moments = [datetime(2026, month, day, 4, tzinfo=UTC) for month in (2, 12) for day in (1, 28)]
    ledger.write(ledger.entry("ada", at, day=at.date(), token_id=token) for at in moments for token in ("one", None))
    days, months = _rows_of(SpentDaily), _rows_of(SpentMonthly)
    assert [(row["month"].month, row["amount"]) for row in months if row["unit"] == "tokens"] == [(2, 300), (12, 300)]
    command.downgrade(config, "0034")
    command.upgrade(config, "head")
    assert (_rows_of(SpentDaily), _rows_of(SpentMonthly)) == (days, months)
    assert ledger.unsound() == []
    database.disconnect()


def _write_old(engine: Engine, entries: list[TokenUsage]) -> None:
    """Entries and their attempts, as far as the tables know what is in them by now."""
    attempts = [ledger.attempt_of(entry) for entry in entries]
    written: Sequence[Base]
    for name, written in (("proxy_logs", attempts), ("token_usage", entries)):
        old = Table(name, MetaData(), autoload_with=engine)
        known = [{column.name: ledger.row_of(row)[column.name] for column in old.columns} for row in written]
        with engine.begin() as connection:
            connection.execute(insert(old), known)


def _rows_of(model: type[Base]) -> list[dict[str, Any]]:
    table = database.table_of(model)
    with database.fetching() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def _of_the_version_before(name: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Attempts and their entries: two of a token's, one without a price, one of the chat, one that is given back."""
    noon = datetime(2026, 11, 25, 4, tzinfo=UTC)
    asked: list[dict[str, Any]] = [{"token_id": "one"}, {"token_id": "one", "cost_micros": None, "currency": None}]
    asked += [{"token_id": None, "channel": "chat"}, {"token_id": "two"}]
    for number, fields in enumerate(asked):
        terms = {"channel": "api", "attempt_id": f"{name}-{number}", "day": noon.date()} | fields
        entry = ledger.row_of(ledger.entry("ada", noon, **terms))
        kept = {key: entry[key] for key in ("user_id", "provider_id", "model", "channel", "token_id", "created_at")}
        attempt = kept | {"id": entry["attempt_id"], "request_id": "r", "prompt_estimate": 1, "address": ""}
        refund = entry | {each: -(entry[each] or 0) for each in NEGATED} | {"id": f"{name}-r", "kind": "refund"}
        given_back = [refund] if (name, fields["token_id"]) == ("1", "two") else []
        yield attempt | {"state": "settled", "bytes_received": 0}, [entry, *given_back]


def _write_as_before(
    old: dict[str, Table], attempt: dict[str, Any], entries: list[dict[str, Any]], connection: Connection
) -> None:
    connection.execute(insert(old["proxy_logs"]).values(attempt))
    for entry in entries:
        known = {column.name: entry[column.name] for column in old["token_usage"].columns}
        connection.execute(insert(old["token_usage"]).values(known))
        ledger.count(connection, entry | {"token_id": None})


def _ledger_rows() -> list[dict[str, Any]]:
    with database.fetching() as connection:
        rows = connection.execute(text("SELECT * FROM token_usage ORDER BY attempt_id, kind")).mappings()
        return [dict(row) for row in rows]


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    command.upgrade(alembic_config(database_url), "head")
    command.check(alembic_config(database_url))


def test_people_of_before_the_groups_are_in_the_default_one(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "0008")
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(OLD_PERSON, [{"name": "one"}, {"name": "two"}])
        session = "INSERT INTO login_sessions VALUES ('s', 'one', '2026-01-01', '2026-01-01', '2027-01-01', '', '')"
        connection.execute(text(session))
    command.upgrade(config, "head")
    with engine.begin() as connection:
        connection.execute(OLD_PERSON, [{"name": "three"}])  # by a server of the version before
        people = connection.execute(text("SELECT username, group_id FROM users ORDER BY created_at, username")).all()
        groups = engine.dialect.identifier_preparer.quote("groups")
        (group,) = connection.execute(text(f"SELECT id, name, on_disconnect FROM {groups}")).all()
        assert connection.scalar(text("SELECT count(*) FROM login_sessions")) == 1
    assert people == [(name, group.id) for name in ("one", "three", "two")]
    assert (group.name, group.on_disconnect) == ("Everyone", "continue")
    command.downgrade(config, "0008")
    assert "group_id" not in {column["name"] for column in inspect(engine).get_columns("users")}
    engine.dispose()


def test_whoever_has_never_been_here_has_not_chosen_a_theme(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "0016")
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(OLD_PERSON, [{"name": "invited"}, {"name": "known"}, {"name": "dark"}])
        connection.execute(text("UPDATE users SET last_sign_in_at = '2026-01-02' WHERE username = 'known'"))
        connection.execute(text("UPDATE users SET theme = 'dark' WHERE username = 'dark'"))
    themes = text("SELECT username, theme FROM users ORDER BY username")
    for revision, invited in (("head", None), ("0016", "system")):
        (command.upgrade if revision == "head" else command.downgrade)(config, revision)
        with engine.begin() as connection:
            found = [tuple(row) for row in connection.execute(themes)]
        assert found == [("dark", "dark"), ("invited", invited), ("known", "system")]
    engine.dispose()
