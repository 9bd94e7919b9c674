"""The directions of the house: down is free; up, in a circle, or sideways between routes, never."""

import ast
import re
import subprocess
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "flask_app"
# Every part of the package, from the top down.
LAYERS = [
    {"__init__", "commands"},
    {"cli"},
    {
        "cli_audit",
        "cli_backup",
        "cli_budgets",
        "cli_codes",
        "cli_directories",
        "cli_doctor",
        "cli_groups",
        "cli_identities",
        "cli_invitations",
        "cli_keys",
        "cli_mail",
        "cli_models",
        "cli_prompts",
        "cli_rates",
        "cli_records",
        "cli_registrations",
        "cli_requests",
        "cli_secrets",
        "cli_shares",
        "cli_site",
        "cli_system",
        "cli_tariffs",
        "cli_terms",
        "cli_tokens",
        "cli_usage",
        "cli_warnings",
        "cli_group",
        "routes",
    },
    {"web"},
    {"utils"},
    {"services"},
    {"streams", "transfer", "upstream"},
    {"models"},
    {"domain"},
    {
        "column_types",
        "company",
        "database",
        "durable",
        "engines",
        "errors",
        "error_reports",
        "config",
        "i18n",
        "instance_secrets",
        "logs",
        "metrics",
        "offload",
        "places",
        "pools",
        "redis_client",
        "statements",
        "timezones",
        "tracing",
    },
]
FLOW = ["chat.chat_service", "runs.run_service", "completion.completion_service", "ledger.metering_service"]
KNOW_FLASK = {
    "__init__",
    "cli",
    "cli_audit",
    "cli_backup",
    "cli_budgets",
    "cli_codes",
    "cli_directories",
    "cli_doctor",
    "cli_group",
    "cli_groups",
    "cli_identities",
    "cli_invitations",
    "cli_keys",
    "cli_mail",
    "cli_models",
    "cli_prompts",
    "cli_rates",
    "cli_records",
    "cli_registrations",
    "cli_requests",
    "cli_secrets",
    "cli_shares",
    "cli_site",
    "cli_system",
    "cli_tariffs",
    "cli_terms",
    "cli_tokens",
    "cli_usage",
    "cli_warnings",
    "commands",
    "routes",
    "web",
    "utils",
}


BOOKS_AND_ADDS_UP = tuple(
    f"flask_app/services/{room}/" for room in ("ledger", "budgets", "tariffs", "usage", "reconciliation")
)
TOLD_OF = "usage|records|budgets|codes|tariffs|reconciliations"
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


def imports_of(path: Path) -> set[str]:
    """Dotted names of what a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def part(module: str) -> str:
    """`flask_app.web.csrf` is of the part `web`, `flask_app` itself of `__init__`."""
    return module.split(".")[1] if "." in module else "__init__"


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
IMPORTS = {
    name: {known for target in imports_of(path) for known in (target, target.rpartition(".")[0]) if known in MODULES}
    - {"flask_app"}
    for name, path in MODULES.items()
}
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def test_every_part_has_its_place() -> None:
    assert {part(module) for module in MODULES} == set(LEVEL)


def test_every_service_has_its_room() -> None:
    """`services/runs/run_service.py`: a room's `__init__.py` says what is done there, and nothing else."""
    services = PACKAGE / "services"
    assert [path.name for path in services.glob("*.py")] == ["__init__.py"]
    for room in (path for path in services.iterdir() if path.is_dir() and path.name != "__pycache__"):
        (said,) = ast.parse((room / "__init__.py").read_text(encoding="utf-8")).body
        assert isinstance(said, ast.Expr)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    upward = {target for target in IMPORTS[module] if LEVEL[part(target)] < LEVEL[part(module)]}
    assert not upward
    siblings = {target for target in IMPORTS[module] if part(target) == "routes"} - {"flask_app.routes"}
    assert part(module) != "routes" or not siblings


def test_there_is_no_circle() -> None:
    assert list(TopologicalSorter(IMPORTS).static_order())


def test_only_the_metered_door_asks_for_answers() -> None:
    asks = re.compile(r"(?<!class )\b(ChatStream|TextStream|EmbeddingReply)\(|\bSTREAMS\[")
    found = {name for name, path in MODULES.items() if asks.search(path.read_text(encoding="utf-8"))}
    assert found == {"flask_app.services.completion.completion_service"}


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


def test_the_journey_of_a_token_goes_one_way() -> None:
    for rank, name in enumerate(FLOW):
        earlier = {f"flask_app.services.{other}" for other in FLOW[:rank]}
        assert not IMPORTS[f"flask_app.services.{name}"] & earlier


@pytest.mark.parametrize("module", MODULES)
def test_only_the_edge_knows_flask_and_nobody_gevent(module: str) -> None:
    foreign = {name.split(".")[0] for name in imports_of(MODULES[module])}
    assert not foreign & {"gevent", "gunicorn"}
    assert part(module) in KNOW_FLASK or not foreign & {"flask", "werkzeug", "click", "jinja2"}


def test_the_domain_is_pure() -> None:
    allowed = {"flask_app.domain", "flask_app.errors"}
    for module in (name for name in MODULES if part(name) == "domain"):
        assert {target for target in IMPORTS[module] if not target.startswith(tuple(allowed))} == set()
        source = MODULES[module].read_text(encoding="utf-8")
        assert not {name.split(".")[0] for name in imports_of(MODULES[module])} & {"sqlalchemy", "time", "os", "socket"}
        assert "now(" not in source
        assert "today(" not in source


def test_nothing_is_kept_that_a_machine_makes_and_no_link() -> None:
    """A link in place of `.venv` would end every clone's first `make run`."""
    kept = _git("ls-files", "--stage")
    assert kept
    assert [entry for entry in kept if not entry.startswith("100")] == []
    assert _git("ls-files", "--cached", "--ignored", "--exclude-standard") == []


def _git(*arguments: str) -> list[str]:
    command = ["git", "-c", "core.quotePath=false", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_people_come_into_groups_by_one_door() -> None:
    """What gives them what a group's people begin with: `services/people/joining.py`."""
    doors = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _puts_into_group(node)
    }
    assert doors == {"flask_app.services.people.joining"}


def _puts_into_group(node: ast.AST) -> bool:
    """Is a person's `group_id` written, or told to whoever makes a row?"""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "User":
        return any(keyword.arg in {None, "group_id"} for keyword in node.keywords)
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and node.attr == "group_id"
        and isinstance(node.value, ast.Name)
        and node.value.id in {"user", "person", "member"}
    )


MOST_LINES = 300
LONG = {"migrations/versions/0001_first_tables.py"}  # the whole first schema, which nobody edits any more


def test_no_file_outgrows_its_subject() -> None:
    folders = ("flask_app", "scripts", "bench", "tests", "migrations")
    files = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert len(files) > 1000
    long = {path.relative_to(ROOT).as_posix() for path in files if len(path.read_text().splitlines()) > MOST_LINES}
    assert long == LONG
