"""Change the ledger's and the tariffs' code in thousands of small ways, and see that the tests notice (mutmut).

``python -m scripts.mutation CHILDREN [MODULE…]`` tries so many mutants at a time: those of these modules, or of all
whose source is another than when their row of docs/mutation.md was written. It takes a few modules at a time and writes
their rows when it is through with them: all take hours, and Ctrl+C ends it sooner. Status 1 when more than a tenth of
all is alive, or a module of `only_mutate` (pyproject.toml) has no row of its own source.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs/mutation.md"
MOST_ALIVE = 0.10
TOGETHER = 6  # modules: mutmut sets out anew for each lot, and comes to the slow tests of all of it last
DEAD = {"caught by type check", "killed", "timeout"}
NOT_TRIED = "not checked"
NOT_RUN = 255  # mutmut takes it for a timeout: no test could be run at all
HEAD = """\
# Mutants of the ledger

Each is a small change of the code that books, prices, limits or adds up tokens and money; a test should notice it.
`make mutation` writes a row for each module, with the beginning of the SHA-256 of the source that was tried: a row of
another source is tried again. *By types* are those that mypy refuses, *by tests* those that a test or its end in time
notices; *alive* are the others, those too that no test reaches.

| module | mutants | by types | by tests | alive | source |
|---|--:|--:|--:|--:|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a module's mutants."""

    module: str
    mutants: int
    by_types: int
    by_tests: int
    source: str

    @property
    def alive(self) -> int:
        return self.mutants - self.by_types - self.by_tests

    def __str__(self) -> str:
        counts = f"{self.mutants} | {self.by_types} | {self.by_tests} | {self.alive}"
        return f"| `{self.module}` | {counts} | `{self.source}` |"

    @classmethod
    def read(cls, line: str) -> "Row":
        module, mutants, by_types, by_tests, _, source = (cell.strip(" `") for cell in line.strip("|").split("|"))
        return cls(module, int(mutants), int(by_types), int(by_tests), source)


def main(children: str, *modules: str) -> int:
    asked = modules or tuple(missing())
    for at in range(0, len(asked), TOGETHER):
        status = _try(children, asked[at : at + TOGETHER])
        if status is not None:
            return status
    return told()


def told() -> int:
    """Say how many are alive in all."""
    count, alive = sum(row.mutants for row in rows()), sum(row.alive for row in rows())
    print(
        f"{count} mutants: {alive} alive, {MOST_ALIVE:.0%} at most; modules without a row of their source: {missing()}"
    )
    return int(bool(missing()) or alive > MOST_ALIVE * count)


def row_of(module: str, statuses: Iterable[str], source: str) -> Row:
    counts = Counter(statuses)
    return Row(module, counts.total(), counts["caught by type check"], counts["killed"] + counts["timeout"], source)


def counted() -> list[str]:
    """Those whose mutants count."""
    mutmut = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    return list(mutmut["only_mutate"])


def missing() -> list[str]:
    known = {(row.module, row.source) for row in rows()}
    return [module for module in counted() if (module, source_of(module)) not in known]


def source_of(module: str) -> str:
    return hashlib.sha256((ROOT / module).read_bytes()).hexdigest()[:12]


def rows() -> list[Row]:
    lines = PLACE.read_text(encoding="utf-8").splitlines() if PLACE.exists() else []
    return [Row.read(line) for line in lines if line.startswith("| `")]


def write(found: Iterable[Row]) -> None:
    names = set(counted())
    lines = [str(row) for row in sorted(found, key=lambda row: row.module) if row.module in names]
    PLACE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def _try(children: str, modules: Sequence[str]) -> int | None:
    """Write the rows of what was tried whole; a status where it did not come to its end."""
    before = {module: source_of(module) for module in modules}
    status = _run(children, modules)
    tried = {module: _statuses(module) for module in modules}
    for name, found in sorted(pair for statuses in tried.values() for pair in statuses.items()):
        if found not in DEAD:
            print(f"{found:12} {name}")
    whole = {module: statuses for module, statuses in tried.items() if NOT_TRIED not in statuses.values()}
    known = [each for each in rows() if each.module not in whole]
    write([*known, *(row_of(module, found.values(), before[module]) for module, found in whole.items())])
    return status or (1 if len(whole) < len(tried) else None)


def _run(children: str, modules: Sequence[str]) -> int:
    tools = Path(sys.executable).parent
    short = {"BUDGET_RUNS": "5", "BUDGET_STEPS": "40"}  # the same sequences for each mutant
    environment = os.environ | short | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    names = [f"{module.removesuffix('.py').replace('/', '.')}.*" for module in modules]
    command = [str(tools / "mutmut"), "run", "--max-children", children, *names]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as running:
        try:
            return running.wait()
        except KeyboardInterrupt:  # it has heard so too, and ends what it is at
            return running.wait()


def _statuses(module: str) -> dict[str, str]:
    """What became of each mutant, by its name (`mutmut show NAME` tells what it changed)."""
    codes = json.loads((ROOT / f"mutants/{module}.meta").read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: _status(code) for name, code in codes.items()}


def _status(code: int | None) -> str:
    from mutmut.stats import status_by_exit_code  # not where the tests run

    return "not run" if code == NOT_RUN else str(status_by_exit_code[code])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
