"""The directions of the house: down is free; up, in a circle, or sideways between routes, never."""

import ast
import re
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.modules import MODULES, PACKAGE, ROOT

# Every part of the package, from the top down.
LAYERS = [
    {"__init__", "commands"},
    {"cli"},
    {
        "cli_assistants",
        "cli_audit",
        "cli_backup",
        "cli_budgets",
        "cli_codes",
        "cli_directories",
        "cli_doctor",
        "cli_files",
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
        "cli_tools",
        "cli_usage",
        "cli_warnings",
        "cli_web_search",
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
        "files_setting",
        "i18n",
        "instance_secrets",
        "logs",
        "metrics",
        "offload",
        "places",
        "pools",
        "round_trips",
        "redis_client",
        "settings_reader",
        "compiled",
        "statements",
        "timezones",
        "tracing",
    },
]
FLOW = ["chat.chat_service", "runs.run_service", "completion.completion_service", "ledger.metering_service"]
KNOW_FLASK = {
    "__init__",
    "cli",
    "cli_assistants",
    "cli_audit",
    "cli_backup",
    "cli_budgets",
    "cli_codes",
    "cli_directories",
    "cli_doctor",
    "cli_files",
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
    "cli_tools",
    "cli_usage",
    "cli_warnings",
    "cli_web_search",
    "commands",
    "routes",
    "web",
    "utils",
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


def part(module: str) -> str:
    """`flask_app.web.csrf` is of the part `web`, `flask_app` itself of `__init__`."""
    return module.split(".")[1] if "." in module else "__init__"


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


def test_only_what_is_metered_asks_for_pages_of_the_web() -> None:
    asks = re.compile(r"(?<!class )\b(DeepSeekSearch|SearxngSearch)\(|\bCALLS\[")
    found = {name for name, path in MODULES.items() if asks.search(path.read_text(encoding="utf-8"))}
    assert found == {"flask_app.services.web_search.asking"}


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
    files |= {path for kind in ("js", "css") for path in (ROOT / "flask_app/static" / kind).rglob(f"*.{kind}")}
    assert len(files) > 1200
    long = {path.relative_to(ROOT).as_posix() for path in files if len(path.read_text().splitlines()) > MOST_LINES}
    assert long == LONG
