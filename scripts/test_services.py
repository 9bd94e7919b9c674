"""Debian packages that the tests need: say which are missing and, as root on Debian, install them.

``python scripts/test_services.py [compose]``
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# a command or file that shows the package is there → the package
NEEDED = {
    "mariadbd": "mariadb-server",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "faketime": "faketime",
    "testssl": "testssl.sh",
    "slapd": "slapd",
    "ldapmodify": "ldap-utils",
    "swift-proxy-server": "swift-proxy",
    "swift-account-server": "swift-account",
    "swift-container-server": "swift-container",
    "swift-object-server": "swift-object",
    "curl": "curl",
    "prometheus": "prometheus",
    "chromium": "chromium",
    "chromium-headless-shell": "chromium-headless-shell",
    "docker-compose": "docker-compose",
    "node": "nodejs",
    "npm": "npm",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf": "fonts-noto-color-emoji",
}
# What `make compose-test` needs, which is not a part of `make test`.
NEEDED_BY_COMPOSE = {
    "dockerd": "docker.io",
    "docker": "docker-cli",
    "/usr/libexec/docker/cli-plugins/docker-compose": "docker-compose",
    "/usr/libexec/docker/cli-plugins/docker-buildx": "docker-buildx",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
    "ip": "iproute2",
    "openssl": "openssl",
    "slirp4netns": "slirp4netns",
    "docker-registry": "docker-registry",
}
POLICY = Path("/usr/sbin/policy-rc.d")  # what Debian asks before it starts a server
APT = ("apt-get", "-o", "DPkg::Lock::Timeout=400")


def main() -> None:
    needed = NEEDED_BY_COMPOSE if sys.argv[1:] == ["compose"] else NEEDED
    packages = missing(needed)
    if not packages:
        return
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SystemExit(f"The tests need Debian packages that are missing here:\n  {command}")
    print(f"Installing what the tests need: {' '.join(packages)} …", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*APT, "update", "-qq"], check=True, env=quiet, stdin=subprocess.DEVNULL)
    install = [*APT, "install", "-y", "-qq", "--no-install-recommends", *packages]
    with starting_none():
        subprocess.run(install, check=True, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@contextmanager
def starting_none(policy: Path = POLICY) -> Iterator[None]:
    """Within, no server starts that is installed: tests start their own. A policy that is there already stays."""
    is_ours = not policy.exists()
    if is_ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        yield
    finally:
        if is_ours:
            policy.unlink()


def missing(needed: dict[str, str]) -> list[str]:
    """The packages of ``needed`` (a sign that it is there → the package) that are not there."""
    return [package for sign, package in needed.items() if not _there(sign)]


def _there(sign: str) -> bool:
    # A command's name is not a path: this folder has an nginx/ of its own.
    if sign.startswith("/"):
        return Path(sign).exists()
    # Servers live in /usr/sbin, which a person's PATH may leave out.
    return any(shutil.which(sign, path=path) for path in (None, "/usr/sbin"))


if __name__ == "__main__":
    main()
