"""Byte code of what a server imports, compiled before it starts, by a process that ends.

A server that compiles for itself keeps the memory that compiling took. Where the system's own modules are compiled for
another level of optimisation, in folders of another account, that would be so at every start: all of it lies in one
folder of the virtual environment.
"""

import compileall
import importlib
import os
import subprocess
from pathlib import Path

from scripts import environment

FOLDER = environment.VENV / "bytecode"
LEVEL = "-OO"  # what documents the code, of every library, needs no place in a server's memory
SERVERS = ("gunicorn.app.wsgiapp", "gunicorn.workers.ggevent") if os.name == "posix" else ("waitress",)
_SOURCES = ("flask_app", "scripts")


def prepare() -> None:
    """Have this process's server read its byte code from FOLDER, and compile it where the code has changed since.

    Raises SystemExit where the code cannot be imported; its error has been printed.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ |= {"PYTHONPYCACHEPREFIX": str(FOLDER)}
    if _is_compiled() or not os.access(environment.VENV, os.W_OK):
        return
    if subprocess.call([environment.PYTHON, LEVEL, "-m", __name__]) != 0:
        raise SystemExit("MingChat was not started; the reason is above.")
    _stamp().write_text(_newest())


def compile_all() -> None:
    """Compile the project's own code, and import the rest as a server does: Python writes byte code as it imports."""
    compileall.compile_dir(environment.ROOT, maxlevels=0, quiet=1)
    for folder in _SOURCES:
        compileall.compile_dir(environment.ROOT / folder, quiet=1)
    for module in (*SERVERS, "flask_app"):
        importlib.import_module(module)


def _is_compiled() -> bool:
    try:
        return _stamp().read_text() == _newest()
    except FileNotFoundError:
        return False


def folder_of(checkout: Path) -> Path:
    """Where the byte code of its own modules lies: several may share the packages."""
    return FOLDER / checkout.relative_to(checkout.anchor)


def _stamp() -> Path:
    return folder_of(environment.ROOT) / ".compiled"


def _newest() -> str:
    """When the youngest file of the code, or the list of packages, was written."""
    files = [file for folder in _SOURCES for file in (environment.ROOT / folder).rglob("*.py")]
    return str(max(file.stat().st_mtime_ns for file in (*files, environment.ROOT / "requirements.txt")))


if __name__ == "__main__":
    compile_all()
