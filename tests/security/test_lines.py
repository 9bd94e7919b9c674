"""Each line of what the site withstands is held by a test, or says why none can."""

from collections import Counter

from scripts import security_reference


def test_every_line_has_a_test_or_a_reason() -> None:
    lines, held = security_reference.lines(), security_reference.holders()
    assert len(lines) > 80
    assert [line.id for line in lines if bool(held.get(line.id)) == bool(line.reason)] == []


def test_every_test_names_lines_that_there_are() -> None:
    held = security_reference.holders()
    assert sum(len(tests) for tests in held.values()) > 150
    assert held.keys() - {line.id for line in security_reference.lines()} == set()


def test_a_line_has_an_id_of_its_own() -> None:
    counted = Counter(line.id for line in security_reference.lines())
    assert [name for name, times in counted.items() if times > 1] == []
