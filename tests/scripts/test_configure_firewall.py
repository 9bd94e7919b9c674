"""scripts/configure-firewall.sh, with the programs of a server stood in for: `make compose-test` has real firewalls."""

import re
import sys
from pathlib import Path

import pytest

from tests.support.scripted_server import ScriptedServer

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of a server")
LISTENING = """\
LISTEN 0 128 0.0.0.0:2201 0.0.0.0:* users:(("sshd",pid=7,fd=3))
LISTEN 0 128 [::]:2201 [::]:* users:(("sshd",pid=7,fd=4))
LISTEN 0 128 127.0.0.1:6010 0.0.0.0:* users:(("sshd",pid=9,fd=4))
LISTEN 0 511 0.0.0.0:8080 0.0.0.0:* users:(("nginx",pid=8,fd=6))
"""


@pytest.fixture
def server(tmp_path: Path) -> ScriptedServer:
    """Run as root, with ufw, and nothing that knows of ssh, nor the environment of whoever runs the tests (tr)."""
    server = ScriptedServer(tmp_path)
    server.stands_in_for("id", "echo 0")
    server.stands_in_for("ufw")
    for silent in ("sshd", "ss", "systemctl", "tr"):
        server.stands_in_for(silent, "exit 1")
    return server


def let_in(server: ScriptedServer, environ: dict[str, str] | None = None, *before: str) -> set[str]:
    done = server.run([*before, "scripts/configure-firewall.sh"], environ=environ)
    assert done.returncode == 0, done.stderr
    assert "ufw --force enable" in server.calls
    return set(re.findall(r"^ufw allow (\S+)/tcp$", "\n".join(server.calls), re.M))


def test_ssh_is_at_its_usual_port_where_nothing_says_another(server: ScriptedServer) -> None:
    assert let_in(server) == {"22", "80", "443"}


def test_the_port_of_sshds_settings_is_let_in(server: ScriptedServer) -> None:
    server.stands_in_for("sshd", "echo port 2222")
    assert let_in(server) == {"2222", "80", "443"}


def test_the_ports_that_sshd_listens_on_are_let_in_but_not_those_for_this_machine(server: ScriptedServer) -> None:
    server.stands_in_for("ss", f"cat <<'END'\n{LISTENING}END")
    assert let_in(server) == {"2201", "80", "443"}


@pytest.mark.parametrize("listen", ["0.0.0.0:2202", "[::]:2202", "2202"])
def test_the_port_of_systemds_socket_is_let_in(server: ScriptedServer, listen: str) -> None:
    server.stands_in_for("sshd", "echo port 22")
    server.stands_in_for(
        "systemctl",
        f"case $* in *is-active*' ssh.socket') ;; *is-active*) exit 3 ;; *) echo 'Listen={listen} (Stream)' ;; esac",
    )
    assert let_in(server) == {"22", "2202", "80", "443"}


def test_the_connection_that_it_is_typed_over_is_let_in_under_sudo_too(server: ScriptedServer) -> None:
    server.stands_in_for("sshd", "echo port 22")
    server.stands_in_for("tr", 'exec /usr/bin/tr "$@"')
    (server.folder / "login.sh").write_text('env -u SSH_CONNECTION bash "$@"\n')
    came = {"SSH_CONNECTION": "203.0.113.9 51000 198.51.100.7 2203"}
    assert let_in(server, came, "login.sh") >= {"22", "2203", "80", "443"}
