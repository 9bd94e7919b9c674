"""What is installed is what was locked, and SQL is not made of strings."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from scripts import environment

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted(ROOT.glob("requirements*.txt"))


@pytest.mark.security("pinned")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_is_locked_with_its_hash(lock: Path) -> None:
    text = re.sub(r"\\\n", "", lock.read_text(encoding="utf-8"))
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert packages
    assert [
        line for line in packages if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_every_module_of_the_browser_is_locked_with_its_hash() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    modules = {name: module for name, module in lock["packages"].items() if name}
    assert modules
    assert [name for name, module in modules.items() if not module.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.security("pinned")
def test_what_installs_insists_on_the_hashes() -> None:
    assert "--require-hashes" in environment.PIP
    dockerfile = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    installs = [line for line in dockerfile.splitlines() if re.search(r"\bpip\b.* install ", line)]
    assert installs
    assert [line for line in installs if "--require-hashes" not in line] == []
    assert "npm ci " in (ROOT / "Makefile").read_text(encoding="utf-8"), "which takes what the lock names, by its hash"


@pytest.mark.security("bearer-fuzzed")
def test_sql_is_made_of_strings_nowhere() -> None:
    """The linter's rule S608 is on; the one place that it lets pass has placeholders alone."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not {"S", "S6", "S60", "S608"} & set(lint["ignore"])
    exempt = {place for place, rules in lint["per-file-ignores"].items() if "S" in rules}
    assert exempt == {"tests/**", "bench/**"}, "what serves nobody"
    let_pass = [
        path.name
        for folder in ("flask_app", "migrations")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "S608" in path.read_text(encoding="utf-8")
    ]
    assert let_pass == ["listed.py"]
