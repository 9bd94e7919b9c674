"""Change the ledger's and the tariffs' code in thousands of small ways, and see that the tests notice (mutmut).

``python -m scripts.mutation CHILDREN [NAME…]`` tries what has not been tried yet, or these mutants again, so many at a
time, and tells what is alive. Status 1 when more than a tenth is.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).resolve().parent.parent
MOST_ALIVE = 0.10
DEAD = {"killed", "timeout", "caught by type check"}
NOT_RUN = 255  # mutmut takes it for a timeout: no test could be run at all


def main(children: str, *names: str) -> int:
    tools = Path(sys.executable).parent
    short = {"BUDGET_RUNS": "5", "BUDGET_STEPS": "40"}  # the same sequences for each mutant
    environment = os.environ | short | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = [str(tools / "mutmut"), "run", "--max-children", children, *names]
    if (status := subprocess.call(command, cwd=ROOT, env=environment)) != 0:
        return status
    return report()


def report() -> int:
    """Tell how many are dead, and which are alive."""
    found = statuses()
    alive = sorted(name for name, status in found.items() if status not in DEAD)
    for name in alive:
        print(f"{found[name]:12} {name}")
    counts = ", ".join(f"{count} {status}" for status, count in Counter(found.values()).most_common())
    part = len(alive) / len(found)
    print(f"{len(found)} mutants: {counts}; {part:.1%} alive, {MOST_ALIVE:.0%} at most")
    return int(part > MOST_ALIVE)


def statuses() -> dict[str, str]:
    """What became of each mutant, by its name (`mutmut show NAME` tells what it changed)."""
    metas = sorted((ROOT / "mutants").rglob("*.meta"))
    codes = [json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"] for meta in metas]
    return {name: _status(code) for each in codes for name, code in each.items()}


def _status(code: int | None) -> str:
    return "not run" if code == NOT_RUN else str(status_by_exit_code[code])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
