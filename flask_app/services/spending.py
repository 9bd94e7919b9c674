"""What has been used by the site's days: `spent_daily`, written in the transactions that write the ledger.

An entry counts for the site, for the group its person was in when it was dispatched, for the person, and for the access
token of the program that asked: in tokens, and in money where it has a price. A token's days are added up by the month
too, for its use over years.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain import periods
from flask_app.domain.budget import TOKENS
from flask_app.models import SpentDaily
from flask_app.statements import Prepared

KEY = ("scope", "scope_id", "unit", "day")
TOKEN, TOKEN_MONTH = "token", "token_month"

spent = table_of(SpentDaily)


def add(connection: Connection, entry: Mapping[str, Any]) -> None:
    """Add one ledger entry, in the transaction that writes it."""
    if entry["day"] is not None:
        add_rows(connection, rows(entry))


def add_rows(connection: Connection, added: list[dict[str, Any]]) -> None:
    """Add to the counters of these keys, or make them."""
    _ADD.run_each(connection, added)


def adding(select: Select[Any]) -> dict[str, Any]:
    """Statements that add the rows of `select` (KEY, then the amount), by the name of the dialect."""
    return _statements(lambda made: made.from_select((*KEY, "amount"), select))


def rows(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an entry adds to which counters: each a KEY, then the amount."""
    day, token_id = entry["day"], entry["token_id"]
    counted = [("site", "", day), ("group", entry["group_id"], day), ("user", entry["user_id"], day)]
    counted += [(TOKEN, token_id, day), (TOKEN_MONTH, token_id, periods.first_of_month(day))]
    amounts = {TOKENS: entry["prompt_tokens"] + entry["completion_tokens"]}
    if entry["currency"]:
        amounts[entry["currency"]] = entry["cost_micros"]
    return [
        {"scope": scope, "scope_id": scope_id, "unit": unit, "day": first, "amount": amount}
        for scope, scope_id, first in counted
        if scope_id is not None
        for unit, amount in amounts.items()
    ]


def _statements(fill: Callable[[Any], Any]) -> dict[str, Any]:
    on_sqlite, on_mysql = fill(sqlite.insert(spent)), fill(mysql.insert(spent))
    added = {"amount": spent.c.amount + on_sqlite.excluded.amount}
    on_sqlite = on_sqlite.on_conflict_do_update(index_elements=list(spent.primary_key), set_=added)
    on_mysql = on_mysql.on_duplicate_key_update(amount=spent.c.amount + on_mysql.inserted.amount)
    return {"sqlite": on_sqlite, "mysql": on_mysql, "mariadb": on_mysql}


_ADD = Prepared(_statements(lambda insert: insert))
