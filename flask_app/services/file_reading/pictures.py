"""Pictures, made anew of their pixels: upright, small enough for any model, and without what a camera notes."""

import importlib
import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from flask_app.domain import files
from flask_app.services.file_reading.contents import Contents, Unreadable

LONGEST_EDGE = 2048  # pixels, as far as the shorter edge stays legible
LEGIBLE_EDGE = 768  # of the shorter edge of a long picture
MOST_EDGE = 8000  # of the longer one: more is refused by some providers
LEAST_EDGE = 320  # of the shorter one of what was made smaller: a phone's screen is as wide
MOST_PIXELS = 50_000_000  # that are unpacked, at four bytes each
MOST_JPEG_PIXELS = 400_000_000  # of these only every second, fourth or eighth is unpacked
JPEG_QUALITIES = (85, 75, 60)  # the first of them with which it is no longer than a picture may be
_SMALLER = 0.8  # of its edges, where it is with none of them
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_ORIENTATION = 0x0112  # the tag of it
_WITHOUT_LOSS = {"PNG", "GIF"}
_WITH_ALPHA = {"RGBA", "LA", "PA"}
_DEEP = {"I", "I;16", "I;16B", "I;16L"}  # 16 bits of grey
_DEPTH = 256

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
Image.preinit()
for plugin in ("WebPImagePlugin", "MpoImagePlugin", "TiffImagePlugin"):  # of these the last reads what a camera notes
    importlib.import_module(f"PIL.{plugin}")


def read(content: bytes) -> Contents:
    """The first frame of it.

    Raises Unreadable: file_unreadable for what is broken, cut off, or larger than can be unpacked, picture_too_long.
    """
    warnings.simplefilter("ignore")  # of faults that leave a picture as it is
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            drawn = _small(opened)
            is_lossless = opened.format in _WITHOUT_LOSS
    except _BROKEN as error:
        raise Unreadable from error
    kept = _kept(drawn, is_lossless=is_lossless)
    return Contents(
        kind=files.PICTURE, content_type=kept.content_type, content=kept.content, width=kept.width, height=kept.height
    )


def size_for(width: int, height: int) -> tuple[int, int]:
    """How large it is to be: as `fittingShare` of `file-upload.js` has it. Raises Unreadable("picture_too_long")."""
    longer, shorter = max(width, height), min(width, height)
    share = min(1, max(LONGEST_EDGE / longer, min(LEGIBLE_EDGE / shorter, MOST_EDGE / longer)))
    if share < 1 and round(shorter * share) < LEAST_EDGE:
        raise Unreadable("picture_too_long")
    return max(1, round(width * share)), max(1, round(height * share))


def _small(opened: Image.Image) -> Image.Image:
    pixels = opened.width * opened.height
    if pixels > (MOST_JPEG_PIXELS if opened.format == "JPEG" else MOST_PIXELS):
        raise Unreadable
    size = size_for(opened.width, opened.height)
    opened.draft("RGB", size)  # of a JPEG alone
    if opened.width * opened.height > MOST_PIXELS:
        raise Unreadable
    orientation = opened.getexif().get(_ORIENTATION)
    plain = _plain(opened)
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _upright(plain, orientation)


def _plain(opened: Image.Image) -> Image.Image:
    """Palettes and 16 bits end here."""
    if opened.mode in _DEEP:
        opened.load()
        opened.info.pop("transparency", None)
        return opened.point(lambda value: value * (1 / _DEPTH)).convert("L")  # it would be cut off, not scaled
    mode = _mode(opened)
    return opened if opened.mode == mode else opened.convert(mode)  # another of that size would take as much again


def _mode(opened: Image.Image) -> str:
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


@dataclass(frozen=True, slots=True)
class _Kept:
    content: bytes
    content_type: str
    width: int
    height: int


def _kept(drawn: Image.Image, *, is_lossless: bool) -> _Kept:
    """No longer than one of ten may be. What has no loss keeps none where it can; a transparent picture stays so."""
    has_alpha = drawn.mode == "RGBA"
    if is_lossless or has_alpha:
        made = _encoded(drawn, "PNG", optimize=False, compress_level=6)
        if len(made) <= files.MOST_PICTURE_BYTES:
            return _Kept(made, files.PNG_TYPE, drawn.width, drawn.height)
    if has_alpha:
        ground = Image.new("RGB", drawn.size, "white")
        ground.paste(drawn, mask=drawn.getchannel("A"))
        drawn = ground
    while True:
        for quality in JPEG_QUALITIES:
            made = _encoded(drawn, "JPEG", quality=quality)
            if len(made) <= files.MOST_PICTURE_BYTES:
                return _Kept(made, files.JPEG_TYPE, drawn.width, drawn.height)
        drawn = ImageOps.scale(drawn, _SMALLER, Image.Resampling.LANCZOS)


def _encoded(drawn: Image.Image, form: str, **options: int) -> bytes:
    written = io.BytesIO()
    drawn.save(written, form, exif=b"", **options)
    return written.getvalue()
