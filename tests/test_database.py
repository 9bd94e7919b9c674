"""A query that was cut off takes its connection with it."""

from collections.abc import Iterator

import pytest

from tests.support import cut_off, mariadb, storage


@pytest.fixture
def url() -> Iterator[str]:
    with mariadb.server() as url:
        storage.migrate(url)
        yield url


def test_killed_queries_leave_their_rows_to_nobody(url: str) -> None:
    cut_off.assert_nobody_got_anothers(cut_off.counts("mariadb", url))


def test_a_careless_pool_would_be_caught(url: str) -> None:
    assert cut_off.counts("mariadb", url, "--careless")["crossed"] > 0
