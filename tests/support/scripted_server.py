"""A server on which scripts/*.sh run: the project's files, and programs that only write down what they are asked."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("scripts", "nginx", "mysql", "ssl")


class ScriptedServer:
    """`calls` are the commands that `stands_in_for` its programs, one a line, in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._programs, self._log = folder / "mingchat", folder / "bin", folder / "calls"
        self._programs.mkdir()
        self._log.touch()
        for part in PARTS:
            shutil.copytree(ROOT / part, self.folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pem"))

    def stands_in_for(self, name: str, body: str = "") -> None:
        """A program that notes its arguments; `body` is what it does then, in sh."""
        file = self._programs / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >>{self._log}\n{body}\n')
        file.chmod(0o755)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        umask: int = 0o022,
        environ: Mapping[str, str] | None = None,
        typed: int = subprocess.DEVNULL,
    ) -> "subprocess.CompletedProcess[str]":
        """`typed` is what it reads from, such as a terminal."""
        return subprocess.run(
            ["bash", *command],
            cwd=self.folder,
            env={"PATH": f"{self._programs}:{os.environ['PATH']}", "HOME": str(self.folder)} | dict(environ or {}),
            umask=umask,
            stdin=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines()
