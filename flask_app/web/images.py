"""Images in what programs ask: as data, or by their address, and as a provider of chat completions takes them."""

import re

from flask_app import config
from flask_app.errors import BadRequest

MAX_ADDRESS = 2048
_DATA = re.compile(r"data:image/(?:png|jpe?g|webp|gif);base64,[A-Za-z0-9+/]+={0,2}")
_ADDRESS = re.compile(rf"https://[\x21-\x7e]{{1,{MAX_ADDRESS}}}")


def part(url: str, place: str, detail: str | None = None) -> dict[str, object]:
    """The part of a message that shows the image at `url`; `place` names it in a failure.

    Raises BadRequest("bad_image"), and BadRequest("image_by_address") where providers may be in this network: one of
    them would fetch any address there for whoever asks.
    """
    if _ADDRESS.fullmatch(url):
        if config.current().allow_insecure_upstreams:
            raise BadRequest("image_by_address", field=place)
    elif not _DATA.fullmatch(url):
        raise BadRequest("bad_image", field=place)
    shown = {"url": url} if detail is None else {"url": url, "detail": detail}
    return {"type": "image_url", "image_url": shown}
