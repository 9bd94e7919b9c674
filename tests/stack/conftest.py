from collections.abc import Iterator

import pytest

from tests.stack import site
from tests.stack.site import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with site.running(tmp_path_factory.mktemp("stack")) as running:
        yield running
