"""Pictures that a site shows as its own: PNG and WebP, read to their ends, with what draws them and nothing else.

What is left out: texts, places, profiles, animations, and whatever stands behind the end. Raises ValueError for what is
no such picture.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PNG, WEBP = "image/png", "image/webp"
_PNG_BEGINS = b"\x89PNG\r\n\x1a\n"
_PNG_DRAWS = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"IDAT", b"IEND"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colour
_DEPTHS = {1, 2, 4, 8, 16}
_WEBP_DRAWS = {b"VP8X", b"ALPH", b"VP8 ", b"VP8L"}
_WITH_ALPHA = 0x10  # of the flags of VP8X
MOST_EDGE = 1024  # pixels


@dataclass(frozen=True, slots=True)
class Picture:
    kind: str
    width: int
    height: int
    content: bytes


def read(content: bytes) -> Picture:
    """The picture alone."""
    if content.startswith(_PNG_BEGINS):
        return _png(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    raise ValueError("neither PNG nor WebP")


def _png(content: bytes) -> Picture:
    chunks = list(_png_chunks(content))
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 25:
        raise ValueError("it does not begin with its size")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1][8:21])
    if not (0 < width <= MOST_EDGE and 0 < height <= MOST_EDGE and colour in _CHANNELS and depth in _DEPTHS):
        raise ValueError("too large, or of an unknown kind")
    row = 1 + -(-width * depth * _CHANNELS[colour] // 8)
    packed = b"".join(chunk[8:-4] for name, chunk in chunks if name == b"IDAT")
    _unpack(packed, least=0 if interlaced else row * height, most=(row + 8) * (height + 8) * 2)
    kept = [chunk for name, chunk in chunks if name in _PNG_DRAWS]
    return Picture(PNG, width, height, b"".join([_PNG_BEGINS, *kept]))


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each with its name, up to the end."""
    at = len(_PNG_BEGINS)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        chunk = content[at : at + 12 + length]
        name = chunk[4:8]
        if len(chunk) < 12 + length or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise ValueError("cut off or damaged")
        if name not in _PNG_DRAWS and not name[0] & 0x20:  # a capital letter: it cannot be drawn without
            raise ValueError("of an unknown kind")
        yield name, chunk
        if name == b"IEND":
            return
        at += len(chunk)
    raise ValueError("without an end")


def _unpack(packed: bytes, *, least: int, most: int) -> None:
    """Raise ValueError where the pixels are not all there, or more than there can be."""
    reader = zlib.decompressobj()
    try:
        pixels = reader.decompress(packed, most)
    except zlib.error as error:
        raise ValueError("damaged pixels") from error
    if reader.unconsumed_tail or not least <= len(pixels) or not pixels:
        raise ValueError("too many pixels, or too few")


def _webp(content: bytes) -> Picture:
    chunks = dict(_webp_chunks(content[: 8 + int.from_bytes(content[4:8], "little")]))
    drawn = chunks.get(b"VP8L") or chunks.get(b"VP8 ")
    if drawn is None:
        raise ValueError("nothing to be drawn, or an animation")
    width, height = _lossless_size(drawn) if b"VP8L" in chunks else _lossy_size(drawn)
    if not (0 < width <= MOST_EDGE and 0 < height <= MOST_EDGE):
        raise ValueError("too large")
    if extended := chunks.get(b"VP8X"):
        if len(extended) != 10:
            raise ValueError("damaged")
        chunks[b"VP8X"] = bytes([extended[0] & _WITH_ALPHA]) + extended[1:]
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks.items()
    )
    return Picture(WEBP, width, height, b"RIFF" + struct.pack("<I", len(body)) + body)


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What draws the picture, each by its name."""
    at = 12
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        part = content[at + 8 : at + 8 + length]
        if len(part) < length:
            raise ValueError("cut off")
        if name in _WEBP_DRAWS:
            yield name, part
        at += 8 + length + length % 2


def _lossless_size(part: bytes) -> tuple[int, int]:
    if len(part) < 5 or part[0] != 0x2F:
        raise ValueError("damaged")
    bits = int.from_bytes(part[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _lossy_size(part: bytes) -> tuple[int, int]:
    if len(part) < 10 or part[3:6] != b"\x9d\x01\x2a":
        raise ValueError("damaged")
    width, height = struct.unpack_from("<HH", part, 6)
    return width & 0x3FFF, height & 0x3FFF
