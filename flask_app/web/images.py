"""Images in what programs ask: as data, or by their address, and as a provider of chat completions takes them."""

import re
import string

from flask_app import config
from flask_app.errors import BadRequest

MAX_ADDRESS = 2048
_KIND = re.compile("data:image/(?:png|jpe?g|webp|gif);base64,")
_BASE64 = f"{string.ascii_letters}{string.digits}+/".encode()
_ADDRESS = re.compile(rf"https://[\x21-\x7e]{{1,{MAX_ADDRESS}}}")


def part(url: str, place: str, detail: str | None = None) -> dict[str, object]:
    """The part of a message that shows the image at `url`; `place` names it in a failure.

    Raises BadRequest("bad_image"), and BadRequest("image_by_address") where providers may be in this network: one of
    them would fetch any address there for whoever asks.
    """
    if _ADDRESS.fullmatch(url):
        if config.current().allow_insecure_upstreams:
            raise BadRequest("image_by_address", field=place)
    elif not _is_data(url):
        raise BadRequest("bad_image", field=place)
    shown = {"url": url} if detail is None else {"url": url, "detail": detail}
    return {"type": "image_url", "image_url": shown}


def _is_data(url: str) -> bool:
    """A pattern would take ten times as long over a long one."""
    kind = _KIND.match(url)
    if kind is None or not url.isascii():
        return False
    data = url[kind.end() :].encode()
    padding = data.translate(None, _BASE64)
    return len(data) > len(padding) and padding in {b"", b"=", b"=="} and data.endswith(padding)
