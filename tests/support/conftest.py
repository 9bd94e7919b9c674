"""The scripted provider on its own, and somebody who asks it."""

from collections.abc import Iterator

import pytest
import urllib3

from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.upstream_caller import Caller


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def client() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as client:
        yield client
        client.clear()


@pytest.fixture
def caller(upstream: ScriptedUpstream, client: urllib3.PoolManager) -> Caller:
    return Caller(upstream, client)
