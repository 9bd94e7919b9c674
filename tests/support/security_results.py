"""A plugin of pytest for `make security`: notes how each test went that names a line of docs/security.md."""

import json
import subprocess
from datetime import UTC, datetime

import pytest

from scripts.security_reference import RESULTS, ROOT

WORST_LAST = ("passed", "skipped", "failed")
_went: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Of a test with many inputs, and of what is before and after it, the worst counts."""
    if "security" in report.keywords:
        name = report.nodeid.partition("[")[0]
        _went[name] = max(_went.get(name, "passed"), report.outcome, key=WORST_LAST.index)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Add to what earlier parts of the same run have noted. Processes that only run tests for another note nothing."""
    if hasattr(session.config, "workerinput"):
        return
    before = json.loads(RESULTS.read_text(encoding="utf-8"))["tests"] if RESULTS.exists() else {}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    noted = {"commit": commit, "date": f"{datetime.now(UTC):%Y-%m-%d}", "tests": dict(sorted((before | _went).items()))}
    RESULTS.write_text(json.dumps(noted, indent=2) + "\n", encoding="utf-8")
