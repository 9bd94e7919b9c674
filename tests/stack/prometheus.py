"""Prometheus, told of the instances as docs/observability.md says."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from tests.support.brokers import wait_until
from tests.support.ports import free_port, is_open

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
OFTEN = "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"


class Prometheus:
    """A running one, which asks once a second."""

    def __init__(self, folder: Path, targets: Sequence[str], token: str) -> None:
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        (folder / "token").write_text(token)
        (folder / "prometheus.yml").write_text(OFTEN + _shown(folder, targets))
        program = shutil.which("prometheus")
        assert program, "prometheus is not installed: `make services` installs what the tests need"
        options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", "--log.level=warn"]
        self._process = subprocess.Popen([program, *options, f"--web.listen-address=127.0.0.1:{self._port}"])
        wait_until(self._is_ready, 30)

    def ask(self, path: str, **words: str) -> dict[str, Any]:
        """What its interface replies, with its remarks if it has any."""
        return dict(urllib3.request("GET", f"{self._url}/api/v1/{path}", fields=words).json())

    def health(self) -> list[str]:
        """Of the instances: up or down."""
        return [str(target["health"]) for target in self.ask("targets")["data"]["activeTargets"]]

    def alerts(self) -> dict[str, str]:
        """What it would tell somebody, or soon will: pending or firing, by name."""
        return {each["labels"]["alertname"]: str(each["state"]) for each in self.ask("alerts")["data"]["alerts"]}

    def _is_ready(self) -> bool:
        return is_open(self._port) and urllib3.request("GET", f"{self._url}/-/ready").status == 200

    def quit(self) -> None:
        self._process.terminate()
        self._process.wait(60)


def _shown(folder: Path, targets: Sequence[str]) -> str:
    """The guide's configuration, with other places in it."""
    (text,) = [block for block in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.M | re.S) if "rule_files" in block]
    places = {
        "/etc/prometheus/mingchat-token": f"{folder}/token",
        "/etc/prometheus/mingchat-alerts.yml": f"{ROOT}/monitoring/alerts.yml",
        '["127.0.0.1:5001", "127.0.0.1:5002"]': json.dumps(targets),
    }
    for shown, here in places.items():
        assert shown in text, shown
        text = text.replace(shown, here)
    return str(text)


@contextmanager
def watching(folder: Path, targets: Sequence[str], token: str) -> Iterator[Prometheus]:
    prometheus = Prometheus(folder, targets, token)
    try:
        yield prometheus
    finally:
        prometheus.quit()
