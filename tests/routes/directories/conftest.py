"""What the tests of directories begin with."""

from collections.abc import Iterator

import pytest

from flask_app.services.sign_in import directories
from tests.support import directory
from tests.support.directory import RealDirectory


@pytest.fixture(scope="session")
def running_directory() -> Iterator[RealDirectory]:
    with directory.running() as known:
        yield known


@pytest.fixture
def campus(running_directory: RealDirectory) -> RealDirectory:
    """A real directory that knows Alice."""
    directories.forget()
    return running_directory
