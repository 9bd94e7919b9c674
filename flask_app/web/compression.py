"""Compressed replies: pages, JSON and static text. An event stream passes untouched."""

from flask import Flask, Request, Response, request
from flask_compress import Compress
from flask_compress.flask_compress import DictCache

ASSETS = "assets.static_file"
_TYPES = ("text/html", "text/css", "text/javascript", "application/json", "application/manifest+json", "image/svg+xml")


def init_app(app: Flask) -> None:
    app.config.update(
        COMPRESS_MIMETYPES=list(_TYPES),
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_STREAMS=False,
        COMPRESS_BR_LEVEL=5,
        COMPRESS_REGISTER=False,
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,
    )
    fresh = Compress(app)
    # A static address names its content, so its compressed form is made once.
    app.config.update(COMPRESS_CACHE_BACKEND=DictCache, COMPRESS_CACHE_KEY=_path)
    kept = Compress(app)

    @app.after_request
    def compress(response: Response) -> Response:
        if response.is_streamed:
            return response
        return (kept if request.endpoint == ASSETS else fresh).after_request(response)


def _path(asked: Request) -> str:
    return asked.path
