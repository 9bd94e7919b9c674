"""A real Prometheus reads two instances, and makes something of the dashboard and of the alerts."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scripts import bytecode, environment
from tests.stack import prometheus
from tests.stack.prometheus import Prometheus
from tests.stack.site import SETTINGS, Stack, copy_of_the_code
from tests.support import certificates
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate
from tests.support.served import ROOT, Visitor
from tests.test_monitoring import asked, dashboard

REAPED_WITHIN = 90  # seconds: when the lease of what died has lapsed, and Prometheus has asked twice


@pytest.fixture(scope="module")
def watcher(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It has seen an answer, and both instances."""
    targets = [f"127.0.0.1:{instance.port}" for instance in stack.instances]
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus.watching(folder, targets, SETTINGS["METRICS_TOKEN"]) as running:
        wait_until(lambda: running.health() == ["up", "up"], 30)
        wait_until(lambda: counts_answers(stack, running), 60)
        yield running


def counts_answers(stack: Stack, running: Prometheus) -> bool:
    """A count begins with the first answer of an instance: only the next one is a growth."""
    assert [name for name, _ in stack.admin.chat("hello")][-1] == "done"
    return bool(running.ask("query", query="rate(mingchat_tokens_total[1m]) > 0")["data"]["result"])


def replied(watcher: Prometheus, expression: str) -> dict[str, Any]:
    query = expression.replace("$__rate_interval", "1m").replace("$job", "mingchat")
    return watcher.ask("query", query=query)


@pytest.mark.parametrize("expression", asked())
def test_it_has_nothing_to_remark_on_an_expression(watcher: Prometheus, expression: str) -> None:
    reply = replied(watcher, expression)
    assert reply["status"] == "success", reply
    assert reply.keys() & {"warnings", "infos"} == set(), reply


def test_every_rule_is_evaluated(watcher: Prometheus) -> None:
    def rules() -> list[dict[str, str]]:
        return [rule for group in watcher.ask("rules")["data"]["groups"] for rule in group["rules"]]

    wait_until(lambda: {rule["health"] for rule in rules()} == {"ok"}, 30)
    assert len(rules()) > 10


def test_somebody_is_told_of_an_instance_that_is_away_and_of_a_backup_that_never_was(
    stack: Stack, watcher: Prometheus
) -> None:
    wait_until(lambda: set(watcher.alerts()) == {"MingChatNeverBackedUp"}, 60)
    stack.instances[1].kill()
    try:
        wait_until(lambda: "MingChatAway" in watcher.alerts(), 60)
    finally:
        stack.instances[1].start_again()
    wait_until(lambda: "MingChatAway" not in watcher.alerts(), 60)


@pytest.fixture
def eventful(stack: Stack, tmp_path: Path) -> Iterator[None]:
    """What is seldom: an error, a backup, an instance that dies over an answer and comes back with a certificate."""
    first = stack.instances[0]
    assert stack.admin.get("/api/conversations/there-is-none").status == 404
    backup = [sys.executable, "-m", "flask", "backup", str(tmp_path / "backup.tar.gz")]
    subprocess.run(backup, cwd=ROOT, env=first.server.environ, check=True, capture_output=True)
    stack.upstream.script(Answer(gate=Gate(1)))
    by_nginx = {"X-Forwarded-Proto": "https", "Origin": f"https://127.0.0.1:{first.port}"}
    there = Visitor(first.base_url, stack.admin.headers | by_nginx)
    assert "token" in (name for name, _ in there.chat("hello"))
    first.kill()
    stack.upstream.forget_scripts()
    root = copy_of_the_code(tmp_path / "certified")
    (root / "ssl").mkdir()
    (root / "ssl/fullchain.pem").write_bytes(certificates.pems("localhost")[0])
    first.start_again(root, MINGCHAT_VENV=str(environment.VENV))
    yield
    first.end()
    first.start_again()
    shutil.rmtree(bytecode.folder_of(root))


@pytest.mark.usefixtures("eventful")
def test_every_panel_shows_something(stack: Stack, watcher: Prometheus) -> None:
    missing = {target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])}
    assert len(missing) > 20

    def look() -> bool:
        """A panel is over the last minute, and what is seldom happens at its own time: nobody sees all at once."""
        stack.admin.chat("hello")
        stack.admin.get("/api/conversations/there-is-none")
        missing.difference_update([each for each in missing if replied(watcher, each)["data"]["result"]])
        return not missing

    with suppress(AssertionError):  # which expressions, says more
        wait_until(look, REAPED_WITHIN)
    assert missing == set()
