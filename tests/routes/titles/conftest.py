"""Titles that a model writes: one is chosen, and one can be held up."""

import pytest

from tests.support import titled
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.titled import WRITER, Held


@pytest.fixture(autouse=True)
def chosen(upstream: ScriptedUpstream) -> str:
    return titled.choose()


@pytest.fixture
def held(upstream: ScriptedUpstream) -> Held:
    """The title that is asked for first."""
    title = Held("Too late")
    upstream.script(title, model=WRITER)
    return title
