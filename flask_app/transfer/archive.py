"""A backup's file: a gzipped tar archive of small members, written and read in one pass, encrypted where asked.

Each member comes with its digest, and the last one, the manifest, with that of all before it: nothing is used that is
not what was written, and what was cut is noticed.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from flask_app.transfer.encryption import MARK, Decrypting, Encrypting
from flask_app.transfer.faults import Damaged

DIGEST = "MINGCHAT.sha256"
COMPRESSION = 6
MOST_BYTES = (
    1 << 28
)  # of a member, many times what is ever written: a small file could unpack to more than there is memory

_GZIP = b"\x1f"  # what such a file begins with
_BROKEN = (gzip.BadGzipFile, zlib.error, tarfile.TarError, EOFError, KeyError, ValueError)


class Writer:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar, self._all = tar, hashlib.sha256()

    def add(self, name: str, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        info.pax_headers = {DIGEST: digest}
        self._tar.addfile(info, io.BytesIO(content))
        self._tar.members.clear()  # type: ignore[attr-defined] # else it remembers them all
        self._all.update(f"{name} {digest}\n".encode())

    @property
    def digest(self) -> str:
        """Of all members so far, by name and content."""
        return self._all.hexdigest()


@contextmanager
def writing(out: BinaryIO, passphrase: str | None) -> Iterator[Writer]:
    encrypting = Encrypting(out, passphrase) if passphrase else None
    target = cast("BinaryIO", encrypting or out)
    with (
        gzip.GzipFile(fileobj=target, mode="wb", compresslevel=COMPRESSION) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        yield Writer(tar)
    if encrypting:
        encrypting.finish()


class Reader:
    """`members` in the order of the file. While one is looked at, `digest` is that of all before it."""

    def __init__(self, source: BinaryIO, passphrase: str | None) -> None:
        self._source = cast("BinaryIO", Decrypting(source, passphrase)) if passphrase else source
        self._all = hashlib.sha256()
        self.digest = self._all.hexdigest()

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Raises Damaged, WrongPassphrase."""
        try:
            with gzip.GzipFile(fileobj=self._source, mode="rb") as packed:
                with tarfile.open(fileobj=packed, mode="r|") as tar:
                    yield from self._members(tar)
                while packed.read(1 << 16):
                    pass  # to the end, where gzip keeps its own checksum
        except _BROKEN as error:
            raise Damaged from error

    def _members(self, tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
        while info := tar.next():
            tar.members.clear()  # type: ignore[attr-defined]
            if info.size > MOST_BYTES:
                raise Damaged
            opened = tar.extractfile(info)
            content = opened.read() if opened else b""
            digest = hashlib.sha256(content).hexdigest()
            if digest != info.pax_headers[DIGEST]:
                raise Damaged
            yield info.name, content
            self._all.update(f"{info.name} {digest}\n".encode())
            self.digest = self._all.hexdigest()


def is_encrypted(source: "io.BufferedReader[Any]") -> bool:
    """What the first bytes say. Those of an encrypted one are read. Raises Damaged where it is no backup at all."""
    first = source.peek(1)[:1]
    if first == _GZIP:
        return False
    if first != MARK[:1] or source.read(len(MARK)) != MARK:
        raise Damaged
    return True
