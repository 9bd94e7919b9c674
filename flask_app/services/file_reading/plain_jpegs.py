"""JPEGs as they are made here: tables, one scan, and nothing else. Such a one need not be made anew, and loses nothing.

So a picture that was taken along comes back as it was.
"""

_BEGIN = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_FRAME, _HUFFMAN, _SCAN, _QUANTIZATION = 0xC0, 0xC4, 0xDA, 0xDB
_HEAD = frozenset({_FRAME, _HUFFMAN, _SCAN, _QUANTIZATION})
_MOST_HEAD = 1024  # bytes: the usual tables take 623
_END, _NO_MARKER = b"\xff\xd9", b"\xff\x00"


def is_plain(content: bytes) -> bool:
    """Can it have nothing besides its pixels, such as what a camera notes?"""
    if not content.startswith(_BEGIN):
        return False
    place, marker = len(_BEGIN), 0
    while marker != _SCAN:
        sign, marker = content[place : place + 1], int.from_bytes(content[place + 1 : place + 2])
        length = int.from_bytes(content[place + 2 : place + 4])
        place += 2 + length
        if sign != b"\xff" or marker not in _HEAD or length < 2 or place > min(_MOST_HEAD, len(content)):
            return False
    scanned = content[place:]
    return scanned.endswith(_END) and b"\xff" not in scanned.removesuffix(_END).replace(_NO_MARKER, b"")
