"""What is known of the mutants: a row for each module, told again only where its source is another."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from scripts import mutation
from scripts.mutation import Row

STATUSES = ["killed"] * 5 + ["timeout", "survived", "no tests", "not run"] + ["caught by type check"] * 3


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two modules."""
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\nonly_mutate = ["one.py", "two.py"]')
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    monkeypatch.setattr(mutation, "PLACE", tmp_path / "mutation.md")
    return tmp_path


def test_the_tests_that_are_named_after_a_module_try_its_mutants() -> None:
    mutmut = tomllib.loads((mutation.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    names = {f"test_{Path(module).stem}.py" for module in mutmut["only_mutate"]}
    folders = [mutation.ROOT / "tests/domain", mutation.ROOT / "tests/services"]
    there = {str(path.relative_to(mutation.ROOT)) for each in folders for path in each.iterdir() if path.name in names}
    assert len(there) > 20
    assert there <= set(mutmut["pytest_add_cli_args_test_selection"])


def test_whatever_no_test_has_noticed_is_alive() -> None:
    row = mutation.row_of("one.py", STATUSES, "abc")
    assert (row.mutants, row.by_types, row.by_tests, row.alive) == (12, 3, 6, 3)


@pytest.mark.usefixtures("place")
def test_rows_are_read_as_they_were_written() -> None:
    written = [Row("one.py", 9, 4, 5, "abc"), Row("two.py", 12, 3, 6, "def")]
    mutation.write(reversed(written))
    assert mutation.rows() == written


def test_a_module_is_tried_again_once_its_source_is_another(place: Path) -> None:
    assert mutation.missing() == ["one.py", "two.py"]
    mutation.write(Row(name, 9, 4, 5, mutation.source_of(name)) for name in mutation.counted())
    assert not mutation.missing()
    (place / "two.py").write_text("changed")
    assert mutation.missing() == ["two.py"]


def test_a_module_that_does_not_count_any_more_has_no_row(place: Path) -> None:
    mutation.write([Row("gone.py", 9, 4, 5, "abc")])
    assert mutation.rows() == []
    assert (place / "mutation.md").read_text() == mutation.HEAD + "\n"


@pytest.mark.parametrize(("alive", "status"), [(1, 0), (2, 1)])
def test_one_in_ten_may_be_alive(place: Path, alive: int, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Row(name, 10, 5, 5, mutation.source_of(name)) for name in mutation.counted()]
    mutation.write([*rows[:1], Row("two.py", 5, 2, 3 - alive, mutation.source_of("two.py"))])
    assert mutation.told() == status
    assert f"15 mutants: {alive} alive" in capsys.readouterr().out
    assert place.exists()


def test_not_all_modules_is_not_enough(place: Path) -> None:
    digest = hashlib.sha256((place / "one.py").read_bytes()).hexdigest()[:12]
    mutation.write([Row("one.py", 10, 5, 5, digest)])
    assert mutation.told() == 1
