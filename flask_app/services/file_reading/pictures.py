"""Pictures, made anew of their pixels: upright, small enough for any model, and without what a camera notes."""

import io
import struct
import warnings

from PIL import Image, ImageOps

from flask_app.domain import files
from flask_app.services.file_reading.contents import Contents, Unreadable

LONGEST_EDGE = 2048  # pixels
MOST_PIXELS = 50_000_000  # that are unpacked, at four bytes each
MOST_JPEG_PIXELS = 400_000_000  # of these only every second, fourth or eighth is unpacked
MOST_PNG_BYTES = 4 << 20  # what is larger than this is rather a photograph
JPEG_QUALITY = 85
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_ORIENTATION = 0x0112  # the tag of it
_WITHOUT_LOSS = {"PNG", "GIF"}
_WITH_ALPHA = {"RGBA", "LA", "PA"}

# Whatever its decoders raise for what is broken.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)

Image.MAX_IMAGE_PIXELS = None  # it is looked at here, before anything is unpacked


def read(content: bytes) -> Contents:
    """The first frame of it. Raises Unreadable for what is broken, cut off, or larger than can be unpacked."""
    warnings.simplefilter("ignore")  # of faults that leave a picture as it is
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            drawn = _small(opened)
            is_lossless = opened.format in _WITHOUT_LOSS
    except _BROKEN as error:
        raise Unreadable from error
    kept, content_type = _written(drawn, is_lossless=is_lossless)
    return Contents(kind=files.PICTURE, content_type=content_type, content=kept, width=drawn.width, height=drawn.height)


def _small(opened: Image.Image) -> Image.Image:
    pixels = opened.width * opened.height
    if pixels > (MOST_JPEG_PIXELS if opened.format == "JPEG" else MOST_PIXELS):
        raise Unreadable
    opened.draft("RGB", (LONGEST_EDGE, LONGEST_EDGE))  # of a JPEG alone
    if opened.width * opened.height > MOST_PIXELS:
        raise Unreadable
    orientation = opened.getexif().get(_ORIENTATION)
    mode = _mode(opened)
    plain = opened if opened.mode == mode else opened.convert(mode)  # another of that size would take as much again
    plain.thumbnail((LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _upright(plain, orientation)


def _mode(opened: Image.Image) -> str:
    """What it is unpacked to: palettes and 16 bits end here."""
    if opened.mode in _WITH_ALPHA or "transparency" in opened.info:
        return "RGBA"
    return "L" if opened.mode in {"1", "L"} else "RGB"


def _upright(plain: Image.Image, orientation: object) -> Image.Image:
    """As the camera was held. What is given has nothing but pixels: no metadata, no profile."""
    made = Image.new(plain.mode, plain.size)
    made.paste(plain)
    if orientation is not None:
        made.getexif()[_ORIENTATION] = orientation
        ImageOps.exif_transpose(made, in_place=True)
    made.info = {}
    return made


def _written(drawn: Image.Image, *, is_lossless: bool) -> tuple[bytes, str]:
    """What has no loss keeps none, unless that is large; a transparent picture stays so."""
    has_alpha = drawn.mode == "RGBA"
    if is_lossless or has_alpha:
        made = _encoded(drawn, "PNG", optimize=False, compress_level=6)
        if len(made) <= MOST_PNG_BYTES:
            return made, files.PNG_TYPE
    if has_alpha:
        ground = Image.new("RGB", drawn.size, "white")
        ground.paste(drawn, mask=drawn.getchannel("A"))
        drawn = ground
    return _encoded(drawn, "JPEG", quality=JPEG_QUALITY), files.JPEG_TYPE


def _encoded(drawn: Image.Image, form: str, **options: int) -> bytes:
    written = io.BytesIO()
    drawn.save(written, form, exif=b"", **options)
    return written.getvalue()
