"""Static files under addresses that name their content, and the import map that lets modules find each other.

`app/i18n` is a file for each language, which has the words of the pages' modules in it: a browser fetches them once.
"""

import hashlib
import json
import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response

from flask_app import i18n
from flask_app.errors import NotFound
from flask_app.utils import public
from flask_app.web import module_parts
from flask_app.web.stylesheets import joined

_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_WORDS_MODULE = "js/i18n.js"
_IMPORTS_WORDS = 'import catalogue from "app/words"'  # the line of it in whose place the words are put
_WORDS = {  # by name: in which language, and whether those that only the administration's pages say are among them
    f"words/{locale}{'-all' * has_all}.js": (locale, has_all) for locale in i18n.LOCALES for has_all in (False, True)
}

assets = Blueprint("assets", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(assets)
    app.jinja_env.globals.update(asset_url=asset_url, modules=modules, words_url=words_url)


@assets.get("/static/<digest>/<path:name>")
@public
def static_file(digest: str, name: str) -> Response:
    """A file whose address names its content: it may be kept for ever. An old address answers 404."""
    if (name not in _files() and name not in _WORDS) or digest != _version():
        raise NotFound
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = Response(_content(name), content_type=_with_charset(kind))
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def asset_url(name: str) -> str:
    """The address of a static file; raises KeyError for a file that does not exist."""
    if name not in _files():
        raise KeyError(name)
    return _address(name)


def _address(name: str) -> str:
    return f"/static/{_version()}/{name}"


def words_url(locale: str, *, for_administration: bool = False) -> str:
    """The address of `app/i18n`, for the pages in that language."""
    return f"/static/{_version()}/words/{locale}{'-all' * for_administration}.js"


@cache
def modules() -> str:
    """The entries of an import map: `app/` for our modules but `app/i18n.js`, the vendored libraries' bare names."""
    found = {"app/": "js/"}
    manifest = _FOLDER / "vendor" / "manifest.json"
    if manifest.exists():
        vendored: dict[str, str] = json.loads(manifest.read_text())["modules"]
        found |= {name: f"vendor/{path}" for name, path in vendored.items()}
    return json.dumps({name: _address(path) for name, path in sorted(found.items())}).strip("{}")


def _content(name: str) -> str | bytes:
    if name in _WORDS:
        return _with_words(name)
    file = _FOLDER / name
    if name.startswith("js/"):
        return module_parts.with_parts(file)
    return joined(file) if file.suffix == ".css" else file.read_bytes()


@cache
def _with_words(name: str) -> str:
    """`app/i18n` for a language: one of _WORDS."""
    locale, has_all = _WORDS[name]
    code = (_FOLDER / _WORDS_MODULE).read_text(encoding="utf-8")
    words = i18n.for_javascript(locale, for_administration=has_all)
    return code.replace(_IMPORTS_WORDS, f"const catalogue = {words}")


@cache
def _files() -> frozenset[str]:
    return frozenset(p.relative_to(_FOLDER).as_posix() for p in _FOLDER.rglob("*") if p.is_file())


@cache
def _version() -> str:
    """One digest for all files: relative addresses inside them (fonts in a style sheet) hold as well."""
    digest = hashlib.sha256()
    for code in (__file__, i18n.__file__, module_parts.__file__):  # which put words and parts together
        digest.update(Path(code).read_bytes())
    for name in sorted(_files()):
        digest.update(name.encode() + b"\0" + (_FOLDER / name).read_bytes())
    for file in i18n.files():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _with_charset(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
