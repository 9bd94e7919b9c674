"""What has been used by the site's days: `spent_daily`, written in the transactions that write the ledger.

An entry counts for the site, for the group its person was in when it was dispatched, for the person, and for the access
token of the program that asked: in tokens, and in money where it has a price. A token's days are added up by the month
too, in `spent_monthly`, for its use over years.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Select, Table
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain import periods
from flask_app.domain.budget import TOKENS
from flask_app.models import SpentDaily, SpentMonthly
from flask_app.statements import Act, Prepared

KEY = ("scope", "scope_id", "unit", "day")
MONTH_KEY = ("token_id", "unit", "month")

spent, months = table_of(SpentDaily), table_of(SpentMonthly)


def additions(entry: Mapping[str, Any]) -> list[Act]:
    """What adds one ledger entry, in the transaction that writes it, in the same order for all, days before months: the
    statements, and the rows of each.
    """
    return [Act(_ADD[table.name], added) for table, added in rows(entry)]


def add_rows(connection: Connection, table: Table, added: list[dict[str, Any]]) -> None:
    """Add to the counters of these keys, or make them."""
    _ADD[table.name].run_each(connection, added)


def adding(table: Table, select: Select[Any]) -> dict[str, Any]:
    """Statements that add the rows of `select` (the key, then the amount), by the name of the dialect."""
    names = [column.name for column in table.columns]
    return _statements(table, lambda made: made.from_select(names, select))


def rows(entry: Mapping[str, Any]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """What an entry adds to which counters: each a key, then the amount. One of before the budgets adds nothing."""
    day, token_id = entry["day"], entry["token_id"]
    if day is None:
        return
    amounts = {TOKENS: entry["prompt_tokens"] + entry["completion_tokens"]}
    if entry["currency"]:
        amounts[entry["currency"]] = entry["cost_micros"]
    whose = {"site": "", "group": entry["group_id"], "user": entry["user_id"], "token": token_id}
    yield (
        spent,
        [
            {"scope": scope, "scope_id": scope_id, "unit": unit, "day": day, "amount": amount}
            for scope, scope_id in whose.items()
            if scope_id is not None
            for unit, amount in amounts.items()
        ],
    )
    if token_id is not None:
        key = {"token_id": token_id, "month": periods.first_of_month(day)}
        yield months, [{**key, "unit": unit, "amount": amount} for unit, amount in amounts.items()]


def _statements(table: Table, fill: Callable[[Any], Any]) -> dict[str, Any]:
    on_sqlite, on_mysql = fill(sqlite.insert(table)), fill(mysql.insert(table))
    added = {"amount": table.c.amount + on_sqlite.excluded.amount}
    on_sqlite = on_sqlite.on_conflict_do_update(index_elements=list(table.primary_key), set_=added)
    on_mysql = on_mysql.on_duplicate_key_update(amount=table.c.amount + on_mysql.inserted.amount)
    return {"sqlite": on_sqlite, "mysql": on_mysql, "mariadb": on_mysql}


_ADD = {table.name: Prepared(_statements(table, lambda insert: insert)) for table in (spent, months)}
