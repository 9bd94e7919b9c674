"""Pictures are made anew of their pixels: as large as a model sees them, and short enough for a message."""

import io
from collections.abc import Callable
from functools import partial

import pytest
from PIL import Image

from flask_app.domain import files as bounds
from flask_app.services.files import reader
from tests.support import files
from tests.support.file_reading import refused

pytestmark = pytest.mark.usefixtures("in_an_instance")


@pytest.mark.parametrize(
    ("made", "size"),
    [
        (partial(files.flat, "PNG", (3000, 2000)), (2048, 1365)),
        (partial(files.flat, "PNG", (3000, 1000)), (2304, 768)),
        (partial(files.flat, "JPEG", (1080, 6000)), (768, 4267)),
        (partial(files.flat, "PNG", (1080, 15_000)), (576, 8000)),
        (partial(files.picture, "JPEG", (10, 10)), (10, 10)),
        (partial(files.flat, "JPEG", (12_000, 9_000)), (2048, 1536)),
        (partial(files.flat, "WEBP", (2100, 2100)), (2048, 2048)),
        (files.moving, (30, 20)),
        (partial(files.picture, "PNG", (2500, 20), mode="1"), (2500, 20)),
        (partial(files.picture, "TIFF", (20, 20), mode="L"), None),
    ],
)
def test_a_picture_is_made_small(made: Callable[[], bytes], size: tuple[int, int] | None) -> None:
    content = made()
    if size is None:
        assert refused(content) == "file_kind_unknown"
        return
    with reader.spool() as sent:
        sent.write(content)
        sent.flush()
        with reader.read(sent, "somebody") as found:
            read = found.content.read(found.bytes)
    assert (found.width, found.height) == size
    with Image.open(io.BytesIO(read)) as shown:
        assert shown.size == size
        assert shown.get_format_mimetype() == found.content_type
        assert getattr(shown, "n_frames", 1) == 1


def shown(content: bytes) -> Image.Image:
    """The picture that is kept of it."""
    with reader.spool() as sent:
        sent.write(content)
        sent.flush()
        with reader.read(sent, "somebody") as found:
            made = found.content.read(found.bytes)
    assert len(made) <= bounds.MOST_PICTURE_BYTES
    with Image.open(io.BytesIO(made)) as picture:
        picture.load()
        assert picture.size == (found.width, found.height)
        return picture


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_ten_pictures_fit_into_a_message_whatever_they_show(mode: str) -> None:
    """Noise cannot be pressed: it is made smaller until it is short enough."""
    width, height = shown(files.picture("PNG", (2048, 2048), mode)).size
    assert width == height
    assert 1000 < width < 2048
    assert bounds.MOST_PICTURE_BYTES * bounds.MOST_AT_ONCE <= bounds.MOST_PICTURES_BYTES


@pytest.mark.parametrize("transparent", [False, True])
def test_a_picture_of_16_bits_keeps_its_shades(transparent: bool) -> None:
    pixels = b"".join((step << 8).to_bytes(2, "little") for step in range(256))
    written = io.BytesIO()
    options = {"transparency": 0} if transparent else {}
    Image.frombytes("I;16", (256, 1), pixels).save(written, "PNG", **options)
    assert list(shown(written.getvalue()).convert("L").tobytes()) == list(range(256))


def kept(content: bytes) -> bytes:
    with reader.spool() as sent:
        sent.write(content)
        sent.flush()
        with reader.read(sent, "somebody") as found:
            return found.content.read(found.bytes)


@pytest.mark.parametrize(
    "content",
    [files.picture("PNG", (300, 200)), files.picture("PNG", mode="RGBA"), files.moving()],
)
def test_what_was_kept_without_loss_comes_back_as_it_was(content: bytes) -> None:
    """As when its person takes it along, and brings it in elsewhere."""
    once = kept(content)
    assert kept(once) == once


WORDS = b"my own words, and where I have been. "
JPEG = files.picture("JPEG", (300, 200), quality=85)
HEAD = 20  # bytes until the first table
SCAN = JPEG.index(b"\xff\xda") + 14
NOTED = Image.Exif()
NOTED[files.MAKE] = WORDS.decode()


@pytest.mark.security("file-metadata-gone")
@pytest.mark.parametrize(
    "content",
    [
        files.picture("JPEG", exif=NOTED),
        files.picture("JPEG", comment=WORDS),
        files.picture("JPEG", icc_profile=WORDS),
        JPEG + WORDS,
        JPEG[:-2] + WORDS * 30_000 + JPEG[-2:],
        JPEG[:HEAD] + b"\xff\xdb\x00\x43\x03" + (WORDS * 2)[:64] + JPEG[HEAD:],
        JPEG[:SCAN] + WORDS * 400 + JPEG[-2:],
    ],
    ids=["noted", "comment", "profile", "behind", "behind its last pixel", "table of none", "as its pixels"],
)
def test_words_in_a_jpeg_are_gone_wherever_they_stood(content: bytes) -> None:
    assert WORDS[:30] in content
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()  # anybody takes it for one
    assert WORDS[:30] not in kept(content)
