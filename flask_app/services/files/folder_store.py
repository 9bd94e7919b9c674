"""Contents as files of a folder, which every instance sees: `file:///` in FILES_URL.

It may be another machine's, or a disk of its own, and away: nothing is written in its place, or taken for removed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from flask_app import durable
from flask_app.services.files.stores import Away

_OURS = re.compile(r"[0-9a-f]{2}")  # a disk has folders of its own, which nobody may read


class FolderStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        try:
            if not self._folder.is_dir():
                raise Away(f"there is no folder {self._folder}")
            durable.write(self._file(key), content)
        except OSError as error:
            raise Away(str(error)) from error

    def part(self, key: str, start: int, length: int) -> bytes:
        try:
            with self._file(key).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise Away(str(error)) from error

    def remove(self, key: str) -> None:
        try:
            self._file(key).unlink()
        except FileNotFoundError as error:
            if self._is_away():
                raise Away(f"{self._folder} is not there, or empty") from error
        except OSError as error:
            raise Away(str(error)) from error

    def listed(self) -> Iterator[list[str]]:
        """What a process that was killed left behind half, too."""
        try:
            for folder in self._folder.iterdir():
                if _OURS.fullmatch(folder.name) and folder.is_dir():
                    yield [file.name for file in folder.iterdir()]
        except OSError as error:
            raise Away(str(error)) from error

    def _is_away(self) -> bool:
        """Whatever was put there once has left a folder."""
        return not self._folder.is_dir() or next(self._folder.iterdir(), None) is None

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / key
