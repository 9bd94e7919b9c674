"""Debian packages that the tests need: say which are missing and, as root on Debian, install them."""

import os
import shutil
import subprocess
from pathlib import Path

# a command or file that shows the package is there → the package
NEEDED = {
    "mariadbd": "mariadb-server",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "faketime": "faketime",
    "chromium": "chromium",
    "node": "nodejs",
    "npm": "npm",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf": "fonts-noto-color-emoji",
}
APT = ("apt-get", "-o", "DPkg::Lock::Timeout=400")


def main() -> None:
    missing = [package for sign, package in NEEDED.items() if not _there(sign)]
    if not missing:
        return
    command = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SystemExit(f"The tests need Debian packages that are missing here:\n  {command}")
    print(f"Installing what the tests need: {' '.join(missing)} …", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*APT, "update", "-qq"], check=True, env=quiet, stdin=subprocess.DEVNULL)
    install = [*APT, "install", "-y", "-qq", "--no-install-recommends", *missing]
    subprocess.run(install, check=True, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _there(sign: str) -> bool:
    # Servers live in /usr/sbin, which a person's PATH may leave out.
    return Path(sign).exists() or any(shutil.which(sign, path=path) for path in (None, "/usr/sbin"))


if __name__ == "__main__":
    main()
