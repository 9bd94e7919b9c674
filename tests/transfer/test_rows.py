"""Rows as lines: exactly the same in any database."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, insert, select

from flask_app.database import table_of
from flask_app.models import ApiKey, Attempt, Conversation, Message
from flask_app.transfer import rows
from flask_app.transfer.rows import Fingerprint
from flask_app.transfer.store import Store
from tests.support import databases
from tests.support.storage import alembic_config

BIG = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
WORDS = st.text(max_size=50) | st.sampled_from(["", "𠮷野家", "👩‍👩‍👧‍👦", "a\0b", "'; --", "\\", "\u2028\r\n"])
SHORT = st.text(max_size=64)

MESSAGES = st.fixed_dictionaries(
    {"text": WORDS, "reasoning": WORDS, "model": st.none() | SHORT, "created_at": MOMENTS, "parent_id": st.none()}
)
ATTEMPTS = st.fixed_dictionaries(
    {
        "bytes_received": BIG,
        "reserved_micros": st.none() | BIG,
        "day": st.none() | st.dates(date(1970, 1, 1), date(2200, 1, 1)),
        "created_at": MOMENTS,
        "ended_at": st.none() | MOMENTS,
        "model": SHORT,
    }
)
KEYS = st.fixed_dictionaries(
    {
        "secret": st.none() | st.binary(max_size=1024),
        "label": SHORT,
        "account": st.none() | SHORT,
        "disabled": st.booleans(),
        "low_balance_micros": st.none() | BIG,
        "benched_until": st.none() | MOMENTS,
    }
)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
OF_ATTEMPTS = {"request_id": "r", "user_id": "u", "provider_id": "p", "channel": "chat", "prompt_estimate": 1}
FIXED: dict[Table, dict[str, Any]] = {
    table_of(Message): {"conversation_id": "c", "role": "user", "status": "complete"},
    table_of(Attempt): {**OF_ATTEMPTS, "address": "", "state": "settled"},
    table_of(ApiKey): {"provider_id": "p", "hint": "", "created_at": NEW_YEAR, "weight": 1},
}
TABLES: dict[Table, st.SearchStrategy[dict[str, Any]]] = {
    table_of(Message): MESSAGES,
    table_of(Attempt): ATTEMPTS,
    table_of(ApiKey): KEYS,
}


@pytest.fixture(scope="module")
def stores(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """A migrated SQLite, and a migrated database of the kind that the tests run on."""
    folder: Path = tmp_path_factory.mktemp("stores")
    here = f"sqlite:///{folder / 'here.db'}"
    with databases.another(database_url, folder) as there:
        for url in (here, there):
            command.upgrade(alembic_config(url), "head")
        with Store(here) as first, Store(there) as second:
            yield first, second


def copied(source: Store, target: Store, model: Table) -> Fingerprint:
    """The rows of one table, out of `source` and into `target`; gives what was sent."""
    sent = Fingerprint()
    out, into = ({table.name: table for table in store.tables()}[model.name] for store in (source, target))
    with source.snapshot() as reading, target.filling() as filling:
        filling.execute(into.delete())
        for batch in rows.batches(reading, out):
            rows.write(filling, into, [column.name for column in out.columns], batch)
            sent.add(batch)
        filling.commit()
    with target.snapshot() as reading:
        assert rows.fingerprint(reading, into) == sent
    return sent


def values_of(store: Store, model: Table) -> list[dict[str, Any]]:
    with store.snapshot() as connection:
        return [dict(row) for row in connection.execute(select(model).order_by(model.c.id)).mappings()]


@pytest.mark.each_case
@pytest.mark.parametrize("model", TABLES, ids=lambda table: table.name)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_rows_are_the_same_in_the_other_and_back_again(
    stores: tuple[Store, Store], model: Table, data: st.DataObject
) -> None:
    here, there = stores
    drawn: list[dict[str, Any]] = data.draw(st.lists(TABLES[model], max_size=6))
    values = [FIXED[model] | row | {"id": f"id{number}"} for number, row in enumerate(drawn)]
    with here.filling() as connection:
        connection.execute(model.delete())
        if values:
            connection.execute(insert(model), values)
        connection.commit()
    first = values_of(here, model)
    sent = copied(here, there, model)
    assert values_of(there, model) == first
    assert copied(there, here, model) == sent
    assert values_of(here, model) == first
    assert [{name: row[name] for name in given_row} for row, given_row in zip(first, values, strict=True)] == values


def test_a_fingerprint_knows_every_row_and_no_order() -> None:
    lines = [b"[1]", b"[2]", b"[2]"]
    first, second, other = Fingerprint(), Fingerprint(), Fingerprint()
    first.add(lines)
    second.add(lines[2:])
    second.add(lines[:2])
    other.add([b"[1]", b"[1]", b"[2]"])
    assert first == second != other


def test_a_question_is_there_at_one_moment(stores: tuple[Store, Store]) -> None:
    """What is committed while a snapshot is read is not in it."""
    for store in stores:
        table = table_of(Conversation)
        row = {"user_id": "u", "title": "t", "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
        row["updated_at"] = row["created_at"]
        with store.snapshot() as reading:
            before = rows.fingerprint(reading, table)
            with store.filling() as filling:
                filling.execute(insert(table), row | {"id": f"{store.dialect}{before.rows}"})
                filling.commit()
            assert rows.fingerprint(reading, table) == before
        with store.snapshot() as reading:
            assert rows.fingerprint(reading, table).rows == before.rows + 1
