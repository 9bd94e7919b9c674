"""Keys and providers that stand in for each other."""

from collections.abc import Iterator

import pytest

from flask_app.services.providers import model_service
from tests.routes.failover.asking import FIRST, OTHER, SECOND
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def first(upstream: ScriptedUpstream) -> str:
    """The environment's key, which is asked before the others."""
    model_service.available()
    change_key(FIRST, priority=-1)
    upstream.journal.clear()
    return FIRST


@pytest.fixture
def second(first: str) -> str:
    """Another key of the same provider."""
    return keep_key(stored_key(first).provider_id, SECOND)


@pytest.fixture
def elsewhere() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture
def other(first: str, elsewhere: ScriptedUpstream) -> str:
    """A key of another provider that lists the same model, and bills in dollars."""
    provider_id = keep_provider("Elsewhere", elsewhere.base_url, models=["DeepSeek-Flash"], currency="USD")
    return keep_key(provider_id, OTHER)
