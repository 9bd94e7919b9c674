"""scripts/configure-firewall.sh on servers with ufw and with firewalld, each with a network of its own."""

import re
from pathlib import Path

import pytest

from tests.compose.conftest import Stack
from tests.compose.engine import STANDINS

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
RIGHTS = ("--network=none", "--cap-add=NET_ADMIN", "--cap-add=SYS_ADMIN")


@pytest.mark.parametrize(("firewall", "ssh"), [("ufw", "2222"), ("firewalld", "22")])
def test_ssh_http_and_https_are_let_in(stack: Stack, firewall: str, ssh: str) -> None:
    docker = stack.site.engine.docker
    docker("build", "--quiet", "--network=host", "--tag", firewall, STANDINS / firewall)
    said = docker("run", "--rm", *RIGHTS, "--volume", f"{SCRIPTS}:/scripts:ro", firewall)
    assert set(re.findall(r"\b(\d+)/tcp", said)) == {ssh, "80", "443"}
