"""Contents as files of a folder, which every instance sees: `file:///` in FILES_URL."""

from collections.abc import Iterator
from pathlib import Path

from flask_app import durable
from flask_app.services.files.stores import Away


class FolderStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        try:
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
            self._file(key).unlink(missing_ok=True)
        except OSError as error:
            raise Away(str(error)) from error

    def listed(self) -> Iterator[list[str]]:
        """What a process that was killed left behind half, too."""
        try:
            for folder in self._folder.iterdir():
                if folder.is_dir():
                    yield [file.name for file in folder.iterdir()]
        except OSError as error:
            raise Away(str(error)) from error

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / key
