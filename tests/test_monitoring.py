"""The dashboard and the alerts ask for metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from flask_app.services.operations import metrics_service

FOLDER = Path(__file__).resolve().parent.parent / "monitoring"
OF_PROMETHEUS = {"up"}
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}


def dashboard() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8")))


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def asked() -> list[str]:
    targets = [target for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    return [target["expr"] for target in targets] + [rule["expr"] for rule in rules()]


@pytest.fixture
def offered(app: Flask) -> set[str]:
    """The names of all series."""
    families = list(text_string_to_metric_families(metrics_service.exposition().decode()))
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def test_every_metric_that_is_asked_for_exists(offered: set[str]) -> None:
    used = {name for expression in asked() for name in re.findall(r"\b(?:mingchat_\w+|up)\b", expression)}
    assert len(used) > 15
    assert used - offered - OF_PROMETHEUS == set()


def test_every_metric_is_on_the_dashboard(offered: set[str]) -> None:
    shown = " ".join(asked())
    unseen = {name for name in offered if re.sub("_(bucket|sum|count)$", "", name) not in shown}
    assert unseen == set()


def test_what_the_site_shares_is_never_added_up() -> None:
    for expression in asked():
        assert not re.search(r"(sum|count)[^(]*\((rate\()?mingchat_site_", expression), expression


@pytest.mark.parametrize("document", ["observability.md", "监控指南.md"])
def test_the_documents_name_every_metric_and_no_other(offered: set[str], document: str) -> None:
    text = (FOLDER.parent / "docs" / document).read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(mingchat_\w+)` \|", text, re.M))
    assert listed == {re.sub("_(bucket|sum|count)$", "", name) for name in offered}


def test_prometheus_can_read_every_expression() -> None:
    for expression in asked():
        promql_parser.parse(expression.replace("$__rate_interval", "5m").replace("$job", "mingchat"))


def test_every_panel_has_a_place_of_its_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_an_alert_notices_that_there_never_was_a_backup() -> None:
    silent = "mingchat_site_last_backup_timestamp_seconds"
    assert any(re.search(rf"(unless on \(\)|absent\() ?{silent}", rule["expr"]) for rule in rules())


def test_every_alert_says_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "action"} <= set(rule["annotations"])
