"""Each line of what the site withstands is held by a test, or says why none can."""

import json
from collections import Counter
from pathlib import Path

from scripts import security_reference


def test_every_line_has_a_test_or_a_reason() -> None:
    lines, held = security_reference.lines(), security_reference.holders()
    assert len(lines) > 80
    assert [line.id for line in lines if bool(held.get(line.id)) == bool(line.reason)] == []


def test_every_test_names_lines_that_there_are() -> None:
    held = security_reference.holders()
    assert sum(len(tests) for tests in held.values()) > 150
    assert held.keys() - {line.id for line in security_reference.lines()} == set()


def test_lines_that_a_module_names_are_held_by_each_of_its_tests(tmp_path: Path) -> None:
    named = '@pytest.mark.security("a", "c")\ndef test_x(): ...\n'
    written = f"pytestmark = {{}}\n{named}def test_y(): ...\ndef helps(): ...\n"
    (tmp_path / "tests").mkdir()
    for number, marks in enumerate(('pytest.mark.security("a")', '[pytest.mark.browser, pytest.mark.security("a")]')):
        (tmp_path / "tests" / f"test_{number}.py").write_text(written.format(marks), encoding="utf-8")
    held = security_reference.holders(tmp_path / "tests")
    assert held == {
        "a": [f"tests/test_{number}.py::{name}" for number in (0, 1) for name in ("test_x", "test_y")],
        "c": ["tests/test_0.py::test_x", "tests/test_1.py::test_x"],
    }


def test_a_line_has_an_id_of_its_own() -> None:
    counted = Counter(line.id for line in security_reference.lines())
    assert [name for name, times in counted.items() if times > 1] == []


def test_a_run_in_which_a_line_did_not_pass_is_told(tmp_path: Path) -> None:
    """`make security` ends with that."""
    held, results = security_reference.holders(), tmp_path / "results.json"
    tests = {test: "passed" for names in held.values() for test in names}
    alone = next(line for line, names in held.items() if len(names) == 1 and held_once(held, names[0]))
    told = {}
    for outcome in ("passed", "failed", "skipped", None):
        went = {name: how for name, how in (tests | {held[alone][0]: outcome}).items() if how}
        results.write_text(json.dumps({"tests": went}), encoding="utf-8")
        told[outcome] = security_reference.main(results)
    kinds = {"failed": "failed", "skipped": "skipped", None: "not run"}
    assert told == {"passed": ""} | {outcome: f"{alone}: {said}" for outcome, said in kinds.items()}


def held_once(held: dict[str, list[str]], test: str) -> bool:
    return sum(test in names for names in held.values()) == 1
