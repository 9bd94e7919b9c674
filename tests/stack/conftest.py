from collections.abc import Generator, Iterator

import pytest

from tests.faults.instance import Instance
from tests.stack import site
from tests.stack.site import Stack

LINES = 40
_instances: list[Instance] = []


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with site.running(tmp_path_factory.mktemp("stack"), _instances) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a failure comes what each instance said last, and how it ended where it did. The logs stay."""
    report = yield
    if report.failed:
        report.sections += [(f"instance {each.folder.name}", each.last_words(LINES)) for each in _instances]
    return report
