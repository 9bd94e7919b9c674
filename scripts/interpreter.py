"""Find a Python that can run MingChat. Kept in plain old syntax: an old Python must get this far."""

import shutil
import subprocess
import sys

OLDEST = (3, 11)
NAMES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python", "py")
PROBE = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"

MISSING = """MingChat needs Python 3.11 or newer; this is Python {version}.
  Debian, Ubuntu:  apt install python3 python3-venv
  macOS:           brew install python
  Windows:         winget install Python.Python.3.13"""
INCOMPLETE = """This Python {version} cannot make virtual environments: its module ensurepip is missing.
  Debian, Ubuntu:  apt install python3-venv"""


def newest() -> str:
    """The path of the newest interpreter that can make a virtual environment.

    Raises SystemExit with a sentence that says what to install when there is none.
    """
    for name in NAMES:
        path = shutil.which(name)
        if path and _suits(path):
            return path
    if _suits(sys.executable):
        return sys.executable
    version = "{}.{}".format(*sys.version_info[:2])
    reason = INCOMPLETE if sys.version_info >= OLDEST else MISSING
    raise SystemExit(reason.format(version=version))


def _suits(path: str) -> bool:
    # A name may be a shim (pyenv) that leads nowhere: only running it tells.
    probe = subprocess.call([path, "-c", PROBE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return probe == 0
