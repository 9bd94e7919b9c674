"""A server finds compiled what it imports."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import bytecode, environment
from tests.support.checkouts import copied
from tests.support.ports import free_port
from tests.support.served import is_ready, launch

PREPARE = (environment.PYTHON, "-c", "from scripts import bytecode; bytecode.prepare()")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    with copied(tmp_path / "mingchat") as place:
        yield place


def started(checkout: Path) -> None:
    """A server has been started there, and has ended."""
    instance = checkout.parent / "instance"
    instance.mkdir(exist_ok=True)
    server = launch(instance, free_port(), {"MINGCHAT_VENV": str(environment.VENV)}, root=checkout)
    with server.process:
        assert is_ready(server)
        assert server.next_line().startswith("Set-up code")
        server.process.terminate()


def compiled(checkout: Path) -> dict[str, float]:
    """When each module's byte code was written."""
    folder = bytecode.folder_of(checkout)
    found = folder.rglob("*.opt-2.pyc")
    return {str(file.relative_to(folder)).split(".")[0]: file.stat().st_mtime for file in found}


def prepared(checkout: Path) -> float:
    return (bytecode.folder_of(checkout) / ".compiled").stat().st_mtime


def prepare(checkout: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    given = {"PATH": os.environ["PATH"], "MINGCHAT_VENV": str(environment.VENV)} | environ
    return subprocess.run(PREPARE, cwd=checkout, env=given, capture_output=True, text=True, check=False)


def test_the_process_that_serves_compiles_nothing(checkout: Path) -> None:
    started(checkout)
    modules = compiled(checkout)
    assert {"flask_app/__init__", "flask_app/routes/chat", "scripts/memory"} <= modules.keys()
    assert max(modules.values()) <= prepared(checkout)
    assert list(bytecode.folder_of(environment.VENV).rglob("gunicorn/__init__.*.opt-2.pyc"))


def test_what_has_changed_is_compiled_before_the_next_start(checkout: Path) -> None:
    assert prepare(checkout).returncode == 0
    first = compiled(checkout)
    changing = checkout / "flask_app/errors.py"
    changing.write_text(f"{changing.read_text()}\nNEWER = True\n")
    started(checkout)
    changed = {name for name, written in compiled(checkout).items() if written != first.get(name)}
    assert changed == {"flask_app/errors"}
    assert compiled(checkout)["flask_app/errors"] <= prepared(checkout)


def test_nothing_is_imported_where_nothing_has_changed(checkout: Path) -> None:
    assert prepare(checkout).returncode == 0
    before = prepared(checkout)
    assert prepare(checkout).returncode == 0
    assert prepared(checkout) == before


def test_code_that_cannot_be_imported_is_told(checkout: Path) -> None:
    (checkout / "flask_app/errors.py").write_text("def\n")
    said = prepare(checkout)
    assert said.returncode == 1
    assert "SyntaxError" in said.stderr
    assert said.stderr.endswith("MingChat was not started; the reason is above.\n")


def test_that_no_byte_code_is_wanted_is_said_of_other_programs(checkout: Path) -> None:
    assert prepare(checkout, PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert compiled(checkout)
