"""A plugin of pytest for `make mutation`: of the tests that reach a mutant, the quick ones try it, the quickest first.

mutmut imports everything once and forks for each mutant. Most SQL statements are made while modules are imported: for
a mutant of what makes them, everything is imported anew, and every test that has a database may try it. Functions that
remember what they made forget it. The slowest
tenth of all tests takes three quarters of their time: what they alone would have noticed counts as alive, unless fewer
than `FEWEST` others reach it.
"""

import json
import os
import sys
import traceback
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from statistics import quantiles

import pytest
from mutmut.state import state

AT_IMPORT = Path("called-at-import.json")
OURS = {"flask_app", "scripts", "tests"}
FEWEST = 20
REMEMBERS = type(lru_cache(lambda: None))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    function = os.environ["MUTANT_UNDER_TEST"].partition("__mutmut_")[0]
    if AT_IMPORT.exists() and function in json.loads(AT_IMPORT.read_text(encoding="utf-8")):
        _import_anew(function.rpartition(".")[0])
    _forget()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave all of them where no mutant is tried: mutmut measures then how long each takes."""
    durations = state().duration_by_test
    items.sort(key=lambda item: (_has_database(item), durations.get(item.nodeid, 0.0), item.nodeid))
    if "__mutmut_" in os.environ["MUTANT_UNDER_TEST"]:
        slow = quantiles(durations.values(), n=10)[-1]
        quick = sum(durations[item.nodeid] <= slow for item in items)
        kept = max(quick, FEWEST)
        config.hook.pytest_deselected(items=items[kept:])
        del items[kept:]


def pytest_collection_finish() -> None:
    if os.environ["MUTANT_UNDER_TEST"] == "stats" and not AT_IMPORT.exists():
        AT_IMPORT.write_text(json.dumps(sorted(state()._stats)), encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if os.environ["MUTANT_UNDER_TEST"] == "stats" and _has_database(item):
        state()._stats.update(json.loads(AT_IMPORT.read_text(encoding="utf-8")))


def _forget() -> None:
    """What functions remember is of the code before it was changed: statements that are made once, above all."""
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] in OURS]:
        for each in vars(module).values():
            if type(each) is REMEMBERS:
                each.cache_clear()


def _import_anew(changed: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS and name != __name__]:
        del sys.modules[name]
    try:
        import flask_app.routes  # noqa: F401 - all of it, but what only commands import

        import_module(changed)
    except Exception:  # noqa: BLE001 - the mutant is noticed: pytest would call it a wrong use of itself
        traceback.print_exc()
        os._exit(1)


def _has_database(item: pytest.Item) -> bool:
    return "app" in getattr(item, "fixturenames", ())
