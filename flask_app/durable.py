"""Small files that are there as a whole or not at all, whatever happens to the machine, and for their owner alone."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Put `content` in the place of what is there, on disk (fsync) before it has its name. Raises OSError."""
    folder = made(path.parent)
    fresh = path.with_suffix(".tmp")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    for directory in (folder, folder.parent):
        sync(directory)


def made(folder: Path) -> Path:
    if not folder.parent.exists():
        made(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def sync(directory: Path) -> None:
    """Have the names in it on disk; Windows cannot, and does so by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
