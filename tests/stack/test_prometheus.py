"""A real Prometheus reads two instances, and makes something of the dashboard and of the alerts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack import prometheus
from tests.stack.prometheus import Prometheus
from tests.stack.site import SETTINGS, Stack
from tests.support.brokers import wait_until
from tests.test_monitoring import asked, dashboard

NEVER_YET = ("reaped", "last_backup", "certificate", "errors")


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


def test_every_panel_shows_something_that_has_happened(watcher: Prometheus) -> None:
    shown = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    assert len(shown) > 20
    empty = {expression for expression in shown if not replied(watcher, expression)["data"]["result"]}
    assert {expression for expression in empty if not re.search("|".join(NEVER_YET), expression)} == set()


def test_every_rule_is_evaluated(watcher: Prometheus) -> None:
    def rules() -> list[dict[str, str]]:
        return [rule for group in watcher.ask("rules")["data"]["groups"] for rule in group["rules"]]

    wait_until(lambda: {rule["health"] for rule in rules()} == {"ok"}, 30)
    assert len(rules()) > 10


def test_somebody_is_told_of_an_instance_that_is_away_and_of_a_backup_that_never_was(
    stack: Stack, watcher: Prometheus
) -> None:
    wait_until(lambda: set(watcher.alerts()) == {"MingChatNeverBackedUp"}, 30)
    stack.instances[1].kill()
    try:
        wait_until(lambda: "MingChatAway" in watcher.alerts(), 30)
    finally:
        stack.instances[1].start_again()
    wait_until(lambda: "MingChatAway" not in watcher.alerts(), 30)
