"""A plugin of pytest for `make mutation`: what needs no database comes first.

mutmut imports everything once and forks for each mutant. Most SQL statements are made while modules are imported: for
a mutant of what makes them, everything is imported anew, and every test that has a database tries it.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import pytest
from mutmut.state import state

AT_IMPORT = Path("called-at-import.json")
OURS = {"flask_app", "scripts", "tests"}
ORDER = ("domain", "services", "routes")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    function = os.environ["MUTANT_UNDER_TEST"].partition("__mutmut_")[0]
    if AT_IMPORT.exists() and function in json.loads(AT_IMPORT.read_text(encoding="utf-8")):
        _import_anew()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_has_database(item), _room(item), item.nodeid))


def pytest_collection_finish() -> None:
    if os.environ["MUTANT_UNDER_TEST"] == "stats" and not AT_IMPORT.exists():
        AT_IMPORT.write_text(json.dumps(sorted(state()._stats)), encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if os.environ["MUTANT_UNDER_TEST"] == "stats" and _has_database(item):
        state()._stats.update(json.loads(AT_IMPORT.read_text(encoding="utf-8")))


def _import_anew() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS and name != __name__]:
        del sys.modules[name]
    try:
        import flask_app.routes  # noqa: F401 - all of it
    except Exception:  # noqa: BLE001 - the mutant is noticed: pytest would call it a wrong use of itself
        traceback.print_exc()
        os._exit(1)


def _has_database(item: pytest.Item) -> bool:
    return "app" in getattr(item, "fixturenames", ())


def _room(item: pytest.Item) -> int:
    name = item.path.parent.name
    return ORDER.index(name) if name in ORDER else len(ORDER)
