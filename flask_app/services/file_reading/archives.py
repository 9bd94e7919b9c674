"""Office files, which are zips: what they hold, and whether that can be unpacked."""

import io
import zipfile
import zlib
from dataclasses import dataclass

from flask_app.services.file_reading.contents import Unreadable

MOST_MEMBERS = 10_000
MOST_UNPACKED = 128 << 20  # bytes, of all members together
MOST_MARKUP = 48 << 20  # of those that are XML: a tree takes several times as much
_SLICE = 1 << 16
_IS_ENCRYPTED = 1


@dataclass(frozen=True, slots=True)
class Package:
    """`types` is what `[Content_Types].xml` says of its parts."""

    names: frozenset[str]
    types: str


def opened(content: bytes) -> Package:
    """All of it was unpacked once, a slice at a time: no member is longer than it says.

    Raises Unreadable: file_protected, file_unreadable.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if any(member.flag_bits & _IS_ENCRYPTED for member in members):
                raise Unreadable("file_protected")
            _measure(archive, members)
            names = frozenset(archive.namelist())
            types = archive.read("[Content_Types].xml") if "[Content_Types].xml" in names else b""
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Unreadable from error
    return Package(names, types.decode("utf-8", "ignore"))


def _measure(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_UNPACKED:
        raise Unreadable
    markup = 0
    for member in members:
        length = 0
        with archive.open(member) as packed:
            while piece := packed.read(_SLICE):
                length += len(piece)
        if member.filename.endswith((".xml", ".rels")):
            markup += length
        if markup > MOST_MARKUP:
            raise Unreadable
