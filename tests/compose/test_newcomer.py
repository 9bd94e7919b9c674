"""Somebody with a new server types what the guide to deployment says, word by word, and has a site with https.

What the guide cannot know is put in: where the repository and the registry are. The name leads here by /etc/hosts, and
there is no systemd that starts Docker.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compose import machine
from tests.compose.conftest import Stack
from tests.compose.engine import BASE, IN_PLACE_OF
from tests.compose.machine import Machine
from tests.compose.measured import SECONDS
from tests.compose.newcomer import Newcomer
from tests.compose.site import copy_project

GUIDE = (Path(__file__).resolve().parents[2] / "docs/部署指南.md").read_text(encoding="utf-8")
IMAGES = [BASE, *(image for image in IN_PLACE_OF if image.startswith(("nginx", "redis", "mysql")))]
HOST, REPOSITORY, CLONE = "chat.example.org", "/srv/mingchat", "/root/mingchat"
COMMIT = "git -c user.name=maker -c user.email=maker@example.org commit --quiet --all --message"
DOCKER = "sudo docker compose exec -T flask-app"


def block(containing: str) -> list[str]:
    """The lines of the guide's only block of commands with these words."""
    (found,) = [each for each in re.findall(r"^```\n(.*?)^```", GUIDE, re.M | re.S) if containing in each]
    return list(found.strip().splitlines())


def in_a_sentence(beginning: str) -> str:
    """The command that the guide names between backticks."""
    (found,) = set(re.findall(rf"`({re.escape(beginning)}[^`]*)`", GUIDE))
    return str(found)


@dataclass
class Site:
    server: Machine
    newcomer: Newcomer

    def type(self, line: str) -> str:
        return self.server.type(line, CLONE)


@pytest.fixture(scope="module")
def site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("server")
    with machine.booted(stack.site.engine, folder, IMAGES, HOST) as server:
        _publish(server)
        began = time.monotonic()
        said = _install(server)
        SECONDS["from a new server to https by the guide"] = time.monotonic() - began
        (code,) = re.findall(r"^Set-up code: (\S+)$", said, re.M)
        with Newcomer(server, HOST, server.root / CLONE[1:] / "ssl/fullchain.pem") as newcomer:
            site = Site(server, newcomer)
            _let_in(site, newcomer.port)
            assert newcomer.sets_up(code) == 201
            yield site


def _publish(server: Machine) -> None:
    copy_project(server.root / REPOSITORY[1:])
    server.type(
        f"apt-get install -y -qq git >/dev/null && cd {REPOSITORY} && git init --quiet && git add . && {COMMIT} first"
    )


def _install(server: Machine) -> str:
    (docker,) = [line for line in block("# Debian 13") if "# Debian 13" in line]
    for line in ("sudo apt-get update", docker):
        server.type(line)
    server.start_docker()
    clone, install = block("git clone")
    server.type(clone.replace("<本仓库>", REPOSITORY))
    (mirror,) = [line for line in block("REGISTRY=") if line.startswith("REGISTRY=")]
    settings = [re.sub("=.*", f"={server.registry}", mirror), in_a_sentence("ALLOW_INSECURE_UPSTREAMS=")]
    (server.root / CLONE[1:] / ".env").write_text("\n".join(settings) + "\n")
    return server.type(install, CLONE)


def _let_in(site: Site, port: int) -> None:
    """The firewall, which keeps containers from a model's server on the same machine until it is let in."""
    site.server.type(in_a_sentence("sudo apt-get install ufw"), given="y\n")
    assert "443/tcp" in site.type(in_a_sentence("sudo scripts/configure-firewall.sh"))
    site.type(in_a_sentence("sudo ufw allow from").replace("11434", str(port)))


def test_an_answer_comes_over_https(site: Site) -> None:
    assert site.newcomer.chats()[0] == "done"


def test_what_is_typed_every_day_works(site: Site) -> None:
    for line in block("flask usage verify"):
        if "-f" not in line and "mysql" not in line and line.split()[2] in {"ps", "exec"}:
            site.type(line.replace("exec ", "exec -T ").split("#")[0])


def test_a_new_version_comes_and_goes(site: Site) -> None:
    recorded = site.type(in_a_sentence("git log -1 --oneline")).split()[0]
    first, conversations = site.newcomer.version(), site.newcomer.conversations()
    site.server.type(f"cd {REPOSITORY} && echo /**/ >> flask_app/static/css/tokens.css && {COMMIT} second")
    for line in block("docker compose build --pull"):
        site.type(line)
    second = site.newcomer.version()
    assert second != first
    assert site.newcomer.chats()[0] == "done"
    for line in block("git checkout COMMIT"):
        site.type(line.replace("COMMIT", recorded))
    assert site.newcomer.version() == first
    assert site.newcomer.chats()[0] == "done"
    assert site.newcomer.conversations() == conversations + 2


def test_a_backup_fills_a_new_server(site: Site) -> None:
    conversations = site.newcomer.conversations()
    for line in block("flask backup -"):
        site.type(line)
    site.type("docker compose down --volumes && docker compose up -d --wait")
    for line in block("flask restore -"):
        site.type(line)
    site.type("docker compose up -d --wait")
    site.newcomer.signs_in()
    assert site.newcomer.conversations() == conversations
    assert site.newcomer.chats()[0] == "done"
