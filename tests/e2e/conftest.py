"""What browser tests begin with: Chromium, a real server, and pages that are watched."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.site import Site, opened
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, ScriptedUpstream

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIGURES = pytest.StashKey[dict[str, str]]()
FIRST, LAST = "test_journey.py", "test_weight.py"

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journey comes first; what all the others have cost is weighed last."""
    places = {FIRST: 0, LAST: 2}
    items.sort(key=lambda item: places.get(item.path.name, 1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, figure in config.stash.get(FIGURES, {}).items():
        terminalreporter.write_line(f"{what}: {figure}")


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> dict[str, str]:
    """Measured figures that the end of the run tells."""
    return pytestconfig.stash.setdefault(FIGURES, {})


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that has been set up, with a key for a scripted provider."""
    with ScriptedUpstream() as provider:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with opened(tmp_path_factory.mktemp("site"), provider, **settings) as running:
            running.set_up()
            yield running
            running.server.assert_sound_ledger()


@pytest.fixture
def script(site: Site) -> Iterator[ScriptedUpstream]:
    """The site's provider, fresh."""
    yield site.provider
    site.provider.forget_scripts()
    site.provider.journal.clear()
    site.provider.default = Answer()


@pytest.fixture
def visits(browser: Browser, site: Site) -> Iterator[Visits]:
    made = Visits(browser, site)
    yield made
    assert made.close() == []
