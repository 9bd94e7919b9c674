"""A zip that is made while it is sent, piece by piece: a file in it may be larger than memory."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

CONTENT_TYPE = "application/zip"

# A path in the zip, when it was changed, and its content: at once, or in pieces where it may be long.
File = tuple[str, datetime, bytes | Iterable[bytes]]


class _Outlet(io.RawIOBase):
    """Where the zip is written, to be taken away at once. Nothing goes back in it: sizes stand behind the files."""

    def __init__(self) -> None:
        super().__init__()
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        taken = bytes(piece)  # type: ignore[call-overload]
        self._written.append(taken)
        return len(taken)

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


def zipped(files: Iterable[File]) -> Iterator[bytes]:
    """The zip's pieces."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, changed, content in files:
            about = zipfile.ZipInfo(path, changed.timetuple()[:6])
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            pieces, is_long = ([content], False) if isinstance(content, bytes) else (content, True)
            with archive.open(about, "w", force_zip64=is_long) as member:
                for piece in pieces:
                    member.write(piece)
                    if written := outlet.take():
                        yield written
            yield outlet.take()
    yield outlet.take()
