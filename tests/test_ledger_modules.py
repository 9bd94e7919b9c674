"""Which modules may add up the ledger, that none changes it, and that every branch of those that count is counted."""

import re
import tomllib

from tests.support.modules import MODULES, ROOT

BOOKS_AND_ADDS_UP = tuple(
    f"flask_app/services/{room}/" for room in ("ledger", "budgets", "tariffs", "usage", "reconciliation")
)
# What names the ledger and adds something up, and why no page waits for all of it.
MAY_ADD_UP = {
    "services.ledger.balance_check": "`flask usage verify`, day by day",
    "services.ledger.rollup_differences": "the same",
    "services.ledger.spending_check": "the same",
    "services.ledger.usage_check_service": "the same",
    "services.ledger.used_days": "the first entry from a day on, for the same",
    "services.reconciliation.reconciliation_clues": "within one day of one account",
    "services.tariffs.priced_already": "the first and the last moment, which indexes know",
    "services.usage.message_usage": "the entries of one conversation's messages",
    "services.usage.record_lookups": "the roll-up's first and last block",
    "services.usage.record_search": "one entry's refunds",
    "services.usage.records_service": "one answer's attempts",
    "services.gateway.request_search": "requests up to a bound, of which it names the record",
    "services.usage.sums": "the roll-up's columns; of an entry, whether it was free",
    "transfer.store": "rows of a table, where a copy is made",
    "transfer.totals": "what a copy must have, too",
}


def test_the_ledger_is_only_added_to() -> None:
    """By the names that it goes by everywhere, its row's class and its table."""
    sources = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    changed = re.compile(r"\b(update|delete)\((TokenUsage|_ledger)\b")
    assert [name for name, source in sources.items() if changed.search(source)] == []
    tables = [line for source in sources.values() for line in source.splitlines() if "table_of(TokenUsage)" in line]
    assert tables
    assert [line for line in tables if "_ledger" not in line and "columns" not in line] == []


def test_no_page_scans_the_ledger_for_a_total() -> None:
    """Totals are the roll-up's. Whoever names the ledger and adds up, counts or groups anything is known by name."""
    names = re.compile(r"\bTokenUsage\b|\btoken_usage\b|\b_ledger\b")
    adds_up = re.compile(
        r"\bfunc\.(sum|count|min|max|avg|total|aggregate_strings)\b|\.group_by\(|\b(whole|rolled)_sum\b"
        r"|\b(SUM|COUNT|MIN|MAX|AVG)\(|\bGROUP BY\b"
    )
    sources = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    found = {name for name, source in sources.items() if names.search(source) and adds_up.search(source)}
    assert found == {f"flask_app.{name}" for name in MAY_ADD_UP}


def test_every_branch_of_what_books_and_adds_up_is_counted() -> None:
    """`make coverage` looks at no file that its list does not name."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]["run"]["include"]
    assert [name for name in known if not (ROOT / name).exists()] == []
    named = re.compile(
        r"flask_app/(cli_|routes/(admin_)?|web/)(usage|records|budgets|codes|tariffs|reconciliations)\w*\.py"
    )
    paths = [str(path.relative_to(ROOT)) for path in MODULES.values() if path.name != "__init__.py"]
    wanted = [path for path in paths if named.fullmatch(path) or path.startswith(BOOKS_AND_ADDS_UP)]
    assert len(wanted) > 50
    assert sorted(set(wanted) - set(known)) == []
