"""A logo is what its bytes say: drawn by what is kept of it, and by nothing else."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import pictures
from tests.support.logos import chunk, png, webp


def test_a_picture_is_kept_as_it_is() -> None:
    for made, kind in ((png(64, 32), pictures.PNG), (webp(64, 32), pictures.WEBP)):
        read = pictures.read(made)
        assert (read.kind, read.width, read.height, read.content) == (kind, 64, 32, made)
        assert pictures.read(read.content) == read


@pytest.mark.security("logo-is-a-picture")
def test_what_draws_nothing_is_left_out() -> None:
    made = png(extra=chunk(b"tEXt", b"Comment\0<script>") + chunk(b"eXIf", b"where it was"), after=b"<svg onload=x>")
    assert pictures.read(made).content == png()
    exif = b"EXIF" + struct.pack("<I", 4) + b"here"
    assert pictures.read(webp(extra=exif)).content == webp()
    assert pictures.read(webp() + b"<svg onload=x>").content == webp()


HUGE = chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 2, 0, 0, 0))
ANIMATED = b"RIFF" + struct.pack("<I", 16) + b"WEBPANMF" + struct.pack("<I", 4) + b"abcd"


@pytest.mark.security("logo-is-a-picture")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xff\xd8\xff\xe0",
        png()[:-1],
        png()[:40],
        png()[:8],
        png().replace(b"IHDR", b"IHDX", 1),
        png(1025, 8),
        b"\x89PNG\r\n\x1a\n" + HUGE + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""),
        png(extra=chunk(b"ABCD", b"must be known")),
        png().replace(zlib.compress((b"\0" + b"\x8c\x1d\x5f" * 192) * 192)[:9], b"\0" * 9, 1),
        b"\x89PNG\r\n\x1a\n" + png()[8:33] + chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000)) + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + png()[8:33] + chunk(b"IDAT", zlib.compress(b"\0" * 10)) + chunk(b"IEND", b""),
        webp()[:20],
        webp(1025, 8),
        ANIMATED,
        b"RIFF\0\0\0\0WEBP",
    ],
    ids=range(18),
)
def test_what_is_no_such_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        pictures.read(content)


@given(st.binary(max_size=400), st.integers(0, 60), st.sampled_from([png(4, 4), webp(4, 4)]))
def test_whatever_comes_is_read_or_refused(noise: bytes, at: int, made: bytes) -> None:
    torn = made[:at] + noise + made[at + len(noise) // 2 :]
    try:
        read = pictures.read(torn)
    except ValueError:
        return
    assert 0 < read.width <= pictures.MOST_EDGE
    assert pictures.read(read.content) == read
