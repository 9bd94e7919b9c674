"""A Docker engine of the test's own, with local images in the place of the official ones: no registry is asked."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compose.groups import Group
from tests.support.brokers import wait_until

STANDINS = Path(__file__).resolve().parent / "standins"
BASE = "python:3.13-slim"
IN_PLACE_OF = {
    "nginx:alpine": "nginx",
    "redis:8-alpine": "redis",
    "mysql:8.4": "mysql",
    "certbot/certbot:latest": "certbot",
    "pebble:latest": "pebble",
}
SUITE, PACKAGES = "trixie", "ca-certificates,python3,python3-venv"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
NEEDED = ("dockerd", "docker", "docker-proxy", "debootstrap", "iptables", "ip")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


class Engine:
    """dockerd with its data in `folder`. It leaves the machine's firewall alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.group = Group(f"compose{os.getpid()}")
        self.environ = os.environ | {"DOCKER_HOST": f"unix://{folder}/d.sock", "PATH": PATH}
        places: list[str | Path] = [
            "--data-root",
            folder / "data",
            "--exec-root",
            folder / "exec",
            "-p",
            folder / "d.pid",
        ]
        grouped = ["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", self.group.of_containers]
        alone = ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        with (folder / "dockerd.log").open("ab") as log:
            command: list[str | Path] = ["dockerd", *places, "-H", self.environ["DOCKER_HOST"], *grouped, *alone]
            self._process = subprocess.Popen(self.group.around(command), env=self.environ, stdout=log, stderr=log)
        wait_until(self._answers, seconds=60)

    def docker(self, *arguments: str | Path, folder: Path | None = None) -> str:
        """What `docker …` prints; raises CalledProcessError, with what it said in its notes."""
        return run(["docker", *arguments], self.environ, folder)

    def has(self, image: str) -> bool:
        return bool(self.docker("image", "ls", "--quiet", image))

    def stop(self) -> None:
        """What a failed test left goes too: the bridge of its network would take the packets of the next engine's."""
        if containers := self.docker("ps", "--all", "--quiet").split():
            self.docker("rm", "--force", *containers)
        self.docker("network", "prune", "--force")
        self._process.terminate()
        self._process.wait(60)
        self.group.remove()

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "dockerd.log").read_text()[-2000:]
        asked = subprocess.run(["docker", "info"], env=self.environ, capture_output=True, check=False)
        return asked.returncode == 0


def run(command: list[str | Path], environ: dict[str, str], folder: Path | None = None) -> str:
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        error = subprocess.CalledProcessError(done.returncode, command)
        error.add_note((done.stdout + done.stderr)[-4000:])
        raise error
    return done.stdout.strip()


@contextmanager
def running(folder: Path) -> Iterator[Engine]:
    engine = Engine(folder)
    try:
        yield engine
    finally:
        engine.stop()


def stand_in(engine: Engine, folder: Path) -> None:
    """Make the images that are not there yet."""
    if not engine.has(BASE):
        _say(f"{BASE}: Debian {SUITE} …")
        _import_base(engine, folder / "base")
    for image, name in IN_PLACE_OF.items():
        if not engine.has(image):
            _say(f"{image} …")
            engine.docker("build", "--quiet", "--network=host", "--tag", image, STANDINS / name)


def _import_base(engine: Engine, root: Path) -> None:
    run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root], engine.environ)
    shutil.copy(AUTHORITIES, root / "etc/ssl/certs/ca-certificates.crt")
    (root / "etc/pip.conf").write_text(f"[global]\ncert = {AUTHORITIES}\n")
    archive = root.with_suffix(".tar")
    run(["tar", "-C", root, "-cf", archive, "."], engine.environ)
    engine.docker("import", "--change", 'CMD ["python3"]', archive, BASE)
    archive.unlink()
    shutil.rmtree(root)


def _say(what: str) -> None:
    sys.stderr.write(f"Standing in for {what}\n")
