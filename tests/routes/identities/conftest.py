"""What the tests of identity providers begin with."""

from collections.abc import Iterator

import pytest

from flask_app.services.sign_in import oidc_provider
from tests.support import evil_provider, identities
from tests.support import oidc_provider as real
from tests.support.evil_provider import EvilProvider
from tests.support.oidc_provider import RealProvider

ALICE = {
    "preferred_username": "alice",
    "name": "Alice Liddell",
    "email": "alice@school.example",
    "email_verified": True,
    "groups": ["pupils", "chess"],
}


@pytest.fixture(scope="session")
def running_provider() -> Iterator[RealProvider]:
    with real.running(identities.CALLBACK) as provider:
        yield provider


@pytest.fixture
def school(running_provider: RealProvider) -> RealProvider:
    """A real provider that knows Alice."""
    oidc_provider.forget()
    running_provider.know(alice=ALICE)
    return running_provider


@pytest.fixture(scope="session")
def running_evil() -> Iterator[EvilProvider]:
    with evil_provider.running() as provider:
        yield provider


@pytest.fixture
def evil(running_evil: EvilProvider) -> EvilProvider:
    oidc_provider.forget()
    running_evil.forget()
    return running_evil
