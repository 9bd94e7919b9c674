"""Pictures for a site's logo, made here: one colour each."""

import struct
import zlib


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int = 192, height: int = 192, colour: bytes = b"\x8c\x1d\x5f", *, extra: bytes = b"", after: bytes = b""
) -> bytes:
    """`extra` stands among its chunks, `after` behind its end."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + colour * width) * height))
    return b"\x89PNG\r\n\x1a\n" + head + extra + pixels + chunk(b"IEND", b"") + after


def webp(width: int = 64, height: int = 64, *, extra: bytes = b"") -> bytes:
    """Its size alone is right: no browser draws it."""
    bits = (width - 1) | (height - 1) << 14
    part = b"\x2f" + struct.pack("<I", bits) + b"\0" * 7
    body = b"WEBP" + b"VP8L" + struct.pack("<I", len(part)) + part + extra
    return b"RIFF" + struct.pack("<I", len(body)) + body
