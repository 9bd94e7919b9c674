"""Somebody with a new server types what the guide to deployment says, word by word, and has a site with https.

What the guide cannot know is put in: where the repository and the registry are. The name leads here by /etc/hosts, and
there is no systemd that starts Docker. Nor is there a terminal: `docker compose exec` is told so.
"""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.compose import guide, machine
from tests.compose.conftest import Stack
from tests.compose.engine import BASE, IN_PLACE_OF
from tests.compose.guide import block, file, in_a_sentence
from tests.compose.machine import Machine
from tests.compose.measured import SECONDS
from tests.compose.newcomer import Newcomer
from tests.compose.site import PATIENTLY, copy_project
from tests.support.served import USERNAME

IMAGES = [BASE, *(image for image in IN_PLACE_OF if image.startswith(("nginx", "redis", "mysql")))]
HOST, REPOSITORY, CLONE = "chat.example.org", "/srv/mingchat", "/root/mingchat"
COMMIT = "git -c user.name=maker -c user.email=maker@example.org commit --quiet --all --message"
ON_DEBIAN, SWAP = "docker-cli docker-compose docker-buildx", "sudo fallocate"
READY = f"docker compose up -d {' '.join(PATIENTLY)}"
NO_PACKAGES = "Docker's own packages are not to be had here"
NO_AUTHORITY = "Let's Encrypt is not to be had here; test_tls.py has Pebble"
NO_SYSTEMD, NO_IPV6 = "there is no systemd", "the network of the test has no IPv6; test_deployment.py composes it"
NOT_TYPED = {
    "sudo apt-get install -y git openssl docker.io docker-compose-v2 docker-buildx": "it is Ubuntu's",
    **dict.fromkeys(block("download.docker.com"), NO_PACKAGES),
    "scripts/install.sh --acme --email you@example.org": NO_AUTHORITY,
    "scripts/install.sh --domain new.example.org --acme --email you@example.org": NO_AUTHORITY,
    "sudo systemctl restart docker": NO_SYSTEMD,
    '{"registry-mirrors": ["https://docker.m.daocloud.io"]}\n': NO_SYSTEMD,
    '{"experimental": true, "ip6tables": true}\n': NO_IPV6,
    'networks:\n  front:\n    enable_ipv6: true\n    ipam: {config: [{subnet: "fd4d:696e:6743::/64"}]}\n': NO_IPV6,
    "nano nginx/local/http-balancer.conf": "an editor waits for somebody: the example stays as it is",
    "make compose-test": "it is this very test",
}


@dataclass
class Site:
    server: Machine
    newcomer: Newcomer

    def type(self, line: str, given: str = "") -> str:
        """In the clone."""
        return self.server.type(line, CLONE, given)

    def does(self, command: str, instead: dict[str, str] | None = None, given: str = "") -> str:
        """What comes of the guide's command, with other words in the place of some."""
        return self.type(noted(command, instead or {}), given)

    def follows(self, log: str) -> str:
        """For a moment."""
        return self.type(f"timeout 5 {noted(log)} || [ $? = 124 ]")


def noted(command: str, instead: dict[str, str] | None = None) -> str:
    """The line to type for the guide's command."""
    guide.typed.add(command)
    for theirs, ours in (instead or {}).items():
        command = command.replace(theirs, ours)
    return re.sub("compose exec (?!-T)", "compose exec -T ", command)


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
    for line in ("sudo apt-get update", next(each for each in block("# Debian 13") if each.endswith(ON_DEBIAN))):
        server.type(noted(line))
    server.start_docker()
    server.type(noted(in_a_sentence("docker compose version")))
    server.type(noted(in_a_sentence("sudo usermod"), {'"$USER"': "root"}))
    clone, install = block("git clone")
    server.type(noted(clone, {"<本仓库>": REPOSITORY}))
    mirror = file("REGISTRY=").splitlines()[0]
    settings = [re.sub("=.*", f"={server.registry}", mirror), "ALLOW_INSECURE_UPSTREAMS=1"]
    (server.root / CLONE[1:] / ".env").write_text("\n".join(settings) + "\n")
    return server.type(noted(install), CLONE)


def _let_in(site: Site, port: int) -> None:
    """The firewall, which keeps containers from a model's server on the same machine until it is let in."""
    site.does(in_a_sentence("sudo apt-get install ufw"), given="y\n")
    assert "443/tcp" in site.does(in_a_sentence("sudo scripts/configure-firewall.sh"))
    site.does(in_a_sentence("sudo ufw allow from"), {"11434": str(port)})


def test_an_answer_comes_over_https(site: Site) -> None:
    assert site.newcomer.chats()[0] == "done"


def test_the_server_gets_swap(site: Site) -> None:
    swap, for_good = block(SWAP)
    site.does(for_good)
    assert site.type("cat /etc/fstab").endswith("/swapfile none swap sw 0 0\n")
    if site.type("stat --file-system --format %T /").strip() == "tmpfs":
        sys.stderr.write("No swap on a tmpfs: the last step is left out, with another TMPDIR it is not\n")
        site.does(swap, {" && sudo swapon /swapfile": ""})
        return
    try:
        site.does(swap)  # swap is the kernel's: for a moment this machine has it too
        assert "/swapfile" in site.type("cat /proc/swaps")
    finally:
        site.type("swapoff /swapfile; rm /swapfile")


def test_what_is_typed_every_day_works(site: Site) -> None:
    ps, logs, doctor, verify, mysql, stop, up, down = block("flask usage verify")
    for line in (ps, doctor, verify):
        site.does(line)
    for line in (logs, in_a_sentence("docker compose logs flask-app").replace("logs", "logs -f")):
        assert site.follows(line)
    assert USERNAME in site.does(mysql, given="SELECT username FROM users;\n")
    site.does(stop)
    assert site.type("docker compose ps --quiet") == ""
    site.does(up)
    site.does(down)
    site.type(READY)
    site.newcomer.signs_in()
    assert site.newcomer.chats()[0] == "done"


def test_what_is_typed_in_trouble_works(site: Site) -> None:
    for words in ("ps -a", "ps mysql", "ps flask-app", "logs <服务名>", "logs mysql", "logs migrate", "logs nginx"):
        assert site.does(in_a_sentence(f"docker compose {words}"), {"<服务名>": "nginx"})
    assert site.does(in_a_sentence("docker compose logs flask-app"))
    assert ":443 " in site.does(in_a_sentence("sudo ss"))
    assert HOST in site.does(in_a_sentence("openssl x509 -in ssl/fullchain.pem"))
    inside = "docker compose exec -T flask-app flask"
    assert site.does(in_a_sentence("docker compose exec flask-app flask rates list"))
    site.does(in_a_sentence("flask rates set"), {"flask": inside})
    site.does(in_a_sentence("flask doctor"), {"flask": inside})
    assert HOST in site.does(in_a_sentence("flask users reset-link"), {"flask": inside, "-link": f"-link {USERNAME}"})
    assert HOST in site.does(in_a_sentence("flask invitations create"), {"flask": inside, "create": "create friends"})
    site.does(in_a_sentence("sed -i"))
    site.does(in_a_sentence("docker compose restart nginx"))
    site.type(READY)
    assert site.newcomer.chats()[0] == "done", "by IPv4 alone"
    site.does(in_a_sentence("git checkout nginx"))
    site.does(in_a_sentence("docker compose exec nginx nginx -s reload"))
    another = {"<原来的域名>": HOST, "<域名>": "another.example.org"}
    assert "not for another.example.org" in site.does(in_a_sentence("scripts/install.sh --domain"), another)
    site.does(in_a_sentence("scripts/rolling-restart.sh"))
    assert site.newcomer.chats()[0] == "done"


def test_what_may_be_added_works(site: Site) -> None:
    given, _ = block("--certificate chain.pem")
    site.type("cp ssl/fullchain.pem chain.pem && cp ssl/privkey.pem key.pem")
    for line in (given, "scripts/install.sh"):
        site.does(line)
    (site.server.root / CLONE[1:] / "docker-compose.override.yml").write_text(file("443:443/udp"))
    for line in (in_a_sentence("ufw allow 443/udp"), *block("server-http3.conf")):
        site.does(line)
    site.type(READY)
    copy, _, check = block("http-balancer.conf")
    for line in (copy, check, in_a_sentence("docker compose up -d --scale")):
        site.does(line)
    assert len(site.type("docker compose ps --quiet flask-app").split()) == 2
    assert site.newcomer.chats()[0] == "done"
    site.type(f"rm -r docker-compose.override.yml nginx/local && {READY}")


def test_a_new_version_comes_and_goes(site: Site) -> None:
    recorded = site.does(in_a_sentence("git log -1 --oneline")).split()[0]
    first, conversations = site.newcomer.version(), site.newcomer.conversations()
    site.server.type(f"cd {REPOSITORY} && echo /**/ >> flask_app/static/css/tokens.css && {COMMIT} second")
    for line in (*block("docker compose build --pull"), in_a_sentence("docker compose exec flask-app flask usage")):
        site.does(line)
    second = site.newcomer.version()
    assert second != first
    assert site.newcomer.chats()[0] == "done"
    for line in block("git checkout COMMIT"):
        site.does(line, {"COMMIT": recorded})
    assert site.newcomer.version() == first
    assert site.newcomer.chats()[0] == "done"
    assert site.newcomer.conversations() == conversations + 2
    site.does(in_a_sentence("git switch -"))
    assert recorded not in site.type("git log -1 --oneline")


def test_a_backup_fills_a_new_server(site: Site) -> None:
    conversations = site.newcomer.conversations()
    for line in block("flask backup -"):
        site.does(line)
    site.type(f"docker compose down --volumes && {READY}")
    for line in block("flask restore -"):
        site.does(line)
    site.type(READY)
    site.newcomer.signs_in()
    assert site.newcomer.conversations() == conversations
    assert site.newcomer.chats()[0] == "done"


def test_nothing_is_left_of_it(site: Site) -> None:
    down, prune, remove = block("--rmi all")
    for line in (down, prune, remove):
        site.does(line)
    assert site.server.type("docker ps -aq; docker volume ls -q; docker images -q mingchat") == ""
    assert not (site.server.root / CLONE[1:]).exists()


@pytest.mark.usefixtures("site")
def test_no_command_of_the_guide_is_left_out() -> None:
    """Where only some of these tests were run, it says what the others type."""
    assert guide.everything() - guide.typed - NOT_TYPED.keys() == set()
    assert NOT_TYPED.keys() & guide.typed == set(), "a reason that holds no more"
    assert NOT_TYPED.keys() - guide.everything() == set(), "not in the guide"
