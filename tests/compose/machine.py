"""A new server to install on: Debian as it comes, with a network, processes and mounts of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.compose.engine import SUITE, Engine, run
from tests.support.brokers import wait_until
from tests.support.ports import free_port

NAME, ADDRESS = f"newcomer{os.getpid()}", "10.0.2.100"  # the latter is what slirp4netns gives
NETWORK = f"/run/netns/{NAME}"
PACKAGES = "ca-certificates,sudo,iproute2,procps,mount"
# What a boot does: its own disk, processes, devices and groups of processes.
BOOT = """\
mount --make-rprivate / && mount --bind "$0" "$0" && cd "$0"
mount -t proc proc proc && mount --rbind /dev dev && mount --rbind /sys sys && mount -t tmpfs tmpfs run
mkdir -p old && pivot_root . old && exec chroot . sh -c 'umount -l /old && rmdir /old && exec sleep infinity'
"""
REGISTRY = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


class Machine:
    """`registry` is the address of a mirror with the official images, or what stands in for them."""

    def __init__(self, root: Path, folder: Path, port: int) -> None:
        self.root = root
        self.registry = f"127.0.0.1:{port}"
        self._log = (folder / "log").open("ab")
        self._processes: list[subprocess.Popen[bytes]] = []
        run(["ip", "netns", "add", NAME], dict(os.environ))
        self.start("ip", "netns", "exec", NAME, "ip", "link", "set", "lo", "up").wait()
        self.start("slirp4netns", "--configure", "--disable-host-loopback", "--netns-type=path", NETWORK, "tap0")
        wait_until(lambda: ADDRESS in run(["ip", "-n", NAME, "-4", "address"], dict(os.environ)), 20)
        boot = ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", BOOT, str(root)]
        self._boot = self.start("nsenter", f"--net={NETWORK}", *boot)
        wait_until(lambda: "sleep" in self._first_process(), 20)

    def type(self, line: str, folder: str = "/root", given: str = "") -> str:
        """What a shell there prints of the line; raises CalledProcessError, with what it said in its notes."""
        first = self._first_process().split()[0]
        words = ["nsenter", f"--target={first}", "--mount", "--pid", "--net", f"--wdns={folder}", "bash", "-c", line]
        done = subprocess.run(words, env=ENVIRON, input=given, capture_output=True, text=True, check=False)
        self._log.write(f"$ {line}\n{done.stdout}{done.stderr}".encode())
        self._log.flush()
        if done.returncode:
            error = subprocess.CalledProcessError(done.returncode, line)
            error.add_note((done.stdout + done.stderr)[-4000:])
            raise error
        return done.stdout

    def start_docker(self) -> None:
        """As systemd does there, once the package is installed."""
        first = self._first_process().split()[0]
        self.start("nsenter", f"--target={first}", "--mount", "--pid", "--net", "--wdns=/", "dockerd", env=ENVIRON)
        self.type("for _ in $(seq 60); do docker info >/dev/null 2>&1 && exit; sleep 1; done; exit 1")

    def start(self, *command: str, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command, env=env, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def end(self) -> None:
        os.kill(int(self._first_process().split()[0]), signal.SIGKILL)  # and with it everything there
        for process in reversed(self._processes):
            process.terminate()
            process.wait(60)
        run(["ip", "netns", "del", NAME], dict(os.environ))
        self._log.close()

    def _first_process(self) -> str:
        """Its number here, and its name."""
        children = Path(f"/proc/{self._boot.pid}/task/{self._boot.pid}/children").read_text().split()
        return f"{children[0]} {Path(f'/proc/{children[0]}/comm').read_text()}" if children else ""


ENVIRON = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


@contextmanager
def booted(engine: Engine, folder: Path, images: list[str], name: str) -> Iterator[Machine]:
    """A machine that knows itself by this name, whose registry has these images of the engine."""
    root, port = folder / "root", free_port()
    sys.stderr.write(f"A new server: Debian {SUITE} …\n")
    run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root], engine.environ)
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {name} {socket.gethostname()}\n")
    with ExitStack() as opened:
        with registry(folder, port):
            for image in images:
                _push(engine, image, f"127.0.0.1:{port}/library/{image}")
        machine = Machine(root, folder, port)
        opened.callback(machine.end)
        machine.start("ip", "netns", "exec", NAME, "docker-registry", "serve", str(folder / "registry.yml"))
        yield machine
    for large in (root, folder / "registry"):
        shutil.rmtree(large, ignore_errors=True)


@contextmanager
def registry(folder: Path, port: int) -> Iterator[None]:
    """Docker's own, on this machine, while the block runs."""
    configuration = folder / "registry.yml"
    configuration.write_text(REGISTRY.format(folder=folder / "registry", port=port))
    with (folder / "registry.log").open("ab") as log:
        process = subprocess.Popen(["docker-registry", "serve", configuration], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _push(engine: Engine, image: str, name: str) -> None:
    engine.docker("tag", image, name)
    try:
        wait_until(lambda: _pushed(engine, name), 60)
    finally:
        engine.docker("rmi", name)


def _pushed(engine: Engine, name: str) -> bool:
    done = subprocess.run(["docker", "push", "--quiet", name], env=engine.environ, capture_output=True, check=False)
    return done.returncode == 0
