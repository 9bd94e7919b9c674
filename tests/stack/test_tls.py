"""A scanner's opinion of the shipped TLS settings."""

import json
import subprocess
from pathlib import Path

from tests.stack.site import Stack

# Protocols, cipher suites, forward secrecy, the server's preferences and defaults, its headers, and the known attacks.
SECTIONS = ("--protocols", "--std", "--fs", "--server-preference", "--server-defaults", "--headers", "--vulnerable")
TOO_MUCH = {"MEDIUM", "HIGH", "CRITICAL"}


def test_a_scan_finds_nothing_above_low(stack: Stack, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    options = ["--quiet", "--color", "0", "--warnings", "off", "--jsonfile", str(found)]
    command = ["testssl", *SECTIONS, *options, f"localhost:{stack.front.tls_port}"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    findings = {each["id"]: each for each in json.loads(found.read_text())}

    assert {"TLS1_3", "heartbleed", "HSTS_time", "FS"} <= findings.keys(), said.stdout
    # The certificate is the test's own: one day old, signed by itself, which alone makes the grade a T.
    ours = [each for name, each in findings.items() if not name.startswith("cert_") and name != "overall_grade"]
    assert [each for each in ours if each["severity"] in TOO_MUCH] == []
    assert findings["HSTS_time"]["severity"] == "OK"
