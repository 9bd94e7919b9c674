"""The project in a folder of its own, installed by scripts/install.sh as a person would, on free ports of loopback."""

import json
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

from tests.compose.engine import Engine, run
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
HOST = "localhost"
SERVICES = ("nginx", "flask-app", "mysql", "redis")
METRICS_TOKEN = "p7Qx2mVd9KtR4nYw8LbZ6sHc3JfG5aEu"
PATIENTLY = ("--wait", "--wait-timeout", "180")  # of `docker compose up`
# What the test asks of the site; install.sh adds the rest.
SETTINGS = f"""\
METRICS_TOKEN={METRICS_TOKEN}
ALLOW_INSECURE_UPSTREAMS=1
CHAT_RATE_LIMIT="1000 per minute"
MAX_RUNS_PER_USER=200
"""
# The only differences from what is shipped: other ports, a build that reaches the network without a bridge, known
# addresses, and an authority for certificates, for which nginx has a name.
OVERRIDE = """\
services:
  nginx:
    ports: !override ["127.0.0.1:{http}:80", "127.0.0.1:{https}:443", "127.0.0.1:{direct}:5000"]
    networks: {{front: {{aliases: [chat.test]}}}}
  mysql:
    ports: !override ["127.0.0.1:{mysql}:3306"]
  flask-app:
    build: {{network: host}}
  certbot:
    environment: {{REQUESTS_CA_BUNDLE: /pebble/chain.pem}}
    volumes: ["./pebble:/pebble:ro"]
  pebble:
    profiles: [authority]
    image: pebble
    volumes: ["./pebble:/pebble:ro"]
    networks: [front]
networks:
  front:
    ipam: {{config: [{{subnet: {subnet}}}]}}
"""
SUBNET, GATEWAY = "10.213.77.0/24", "10.213.77.1"  # the latter is this machine, seen from the application's containers
# Of cgroups 2, and of cgroups 1.
PEAK = "cd /sys/fs/cgroup; cat memory.peak 2>/dev/null || cat memory/memory.max_usage_in_bytes"
UNIT = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Site:
    """`said` is what the installation printed, which took `installed_in` seconds; `trusting` is a client's TLS that
    knows the certificate it made.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.ports = {name: free_port() for name in ("http", "https", "direct", "mysql")}
        copy_project(folder)
        (folder / "docker-compose.override.yml").write_text(OVERRIDE.format(subnet=SUBNET, **self.ports))
        (folder / ".env").write_text(SETTINGS)
        began = time.monotonic()
        self.said = self.install("--domain", HOST)
        self.installed_in = time.monotonic() - began
        self.trusting = ssl.create_default_context(cafile=folder / "ssl/fullchain.pem")

    @property
    def base_url(self) -> str:
        return f"https://{HOST}:{self.ports['https']}"

    @property
    def setup_code(self) -> str:
        (code,) = re.findall(r"^Set-up code: (\S+)$", self.said, re.M)
        return str(code)

    @property
    def settings(self) -> dict[str, str]:
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line)

    def install(self, *options: str) -> str:
        return run(["scripts/install.sh", *options], self.engine.environ, self.folder)

    def change(self, **settings: str) -> None:
        """In .env, as a person does with an editor."""
        for name in settings:
            self.forget(name)
        with (self.folder / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def forget(self, setting: str) -> None:
        lines = (self.folder / ".env").read_text().splitlines(keepends=True)
        (self.folder / ".env").write_text("".join(line for line in lines if not line.startswith(f"{setting}=")))

    def restart(self) -> Iterator[str]:
        """Restart the application as a person would; what the script says, line by line as it says it."""
        environ, faults = self.engine.environ, self.folder / "faults"
        with (
            faults.open("w") as log,
            subprocess.Popen(
                ["scripts/rolling-restart.sh"], cwd=self.folder, env=environ, stdout=PIPE, stderr=log, text=True
            ) as process,
        ):
            assert process.stdout
            yield from process.stdout
        assert process.returncode == 0, faults.read_text()[-2000:]

    def shell(self, line: str) -> str:
        return run(["sh", "-c", line], self.engine.environ, self.folder)

    def compose(self, *arguments: str) -> str:
        return self.engine.docker("compose", *arguments, folder=self.folder)

    def inside(self, service: str, *command: str) -> str:
        return self.compose("exec", "-T", service, *command)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--quiet", service).splitlines()

    def inspect(self, service: str) -> list[dict[str, Any]]:
        """What the engine knows of each of the service's containers."""
        return list(json.loads(self.engine.docker("inspect", *self.containers(service))))

    def kill(self, service: str) -> None:
        """Its first process, as a crash does: the engine starts it again by its policy."""
        (container,) = self.inspect(service)
        subprocess.run(["kill", "-9", str(container["State"]["Pid"])], check=True)

    @contextmanager
    def killed(self, service: str) -> Iterator[None]:
        """The same, and away until the end of the block."""
        (container,) = self.containers(service)
        self.engine.docker("update", "--restart=no", container)
        self.kill(service)
        try:
            yield
        finally:
            self.engine.docker("update", "--restart=unless-stopped", container)
            self.compose("start", service)

    def memory(self) -> dict[str, int]:
        """Bytes that each container uses."""
        lines = self.engine.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").splitlines()
        return {name: _bytes(used) for name, used in (line.split(" / ")[0].split(" ") for line in lines)}

    def peaks(self, service: str) -> list[int]:
        """Bytes that each of the service's containers used at most, with the files that the kernel keeps for it."""
        return [int(self.engine.docker("exec", each, "sh", "-c", PEAK)) for each in self.containers(service)]

    def remove(self) -> None:
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "5")


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]
    return int(float(number) * UNIT[unit])


def copy_project(folder: Path) -> None:
    """What a clone that is made under `umask 077` has, with what is not committed yet."""
    listed = run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {"PATH": "/usr/bin:/bin"}, ROOT
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for place in (folder, *folder.rglob("*")):
        place.chmod(place.stat().st_mode & ~0o077)
