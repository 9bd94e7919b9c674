"""One's own conversations as files: one as it is read, several as a zip of such, or any of them as JSON of our own."""

from collections.abc import Callable, Iterator

import msgspec
from flask import Response

from flask_app.database import utc_now
from flask_app.domain import file_names
from flask_app.errors import BadRequest
from flask_app.models import User
from flask_app.services.portability import conversation_export
from flask_app.services.portability.conversation_export import Choice
from flask_app.services.portability.conversation_format import Drawer, Head, Talk
from flask_app.web import zip_stream
from flask_app.web.conversation_pages import Reader, html, markdown
from flask_app.web.exports import sent
from flask_app.web.zip_stream import File

JSON = "application/json"
FORMATS = {"md": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8", "json": JSON}
_DRAWN: dict[str, Callable[[Reader, Talk], str]] = {"md": markdown, "html": html}
_SIGNS = 6  # of an id: enough to tell two of one day and title apart

_encoder = msgspec.json.Encoder()


def file_format(name: str | None) -> str:
    """One of FORMATS, Markdown where none is asked for; raises BadRequest("unknown_format")."""
    name = name or "md"
    if name not in FORMATS:
        raise BadRequest("unknown_format", known=", ".join(FORMATS))
    return name


def conversation_file(actor: User, conversation_id: str, kind: str) -> Response:
    """One conversation. Raises NotFound for somebody else's."""
    talk = conversation_export.one(actor, conversation_id)
    reader = Reader.of(actor)
    name = f"{_named(reader, talk, '')}.{kind}"
    if kind == "json":
        folders = [each for each in conversation_export.folders(actor) if each.id == talk.folder_id]
        return sent(json_pieces(folders, iter([talk])), JSON, name)
    return sent(iter([_DRAWN[kind](reader, talk).encode()]), FORMATS[kind], name)


def conversations_file(actor: User, choice: Choice, kind: str) -> Response:
    """All that are chosen. Raises as `conversation_export.every` does."""
    talks, folders = conversation_export.every(actor, choice), conversation_export.folders(actor)
    reader = Reader.of(actor)
    name = file_names.safe(reader.t("portability.file", day=f"{reader.local(utc_now()):%Y-%m-%d}"))
    if kind == "json":
        return sent(json_pieces(folders, talks), JSON, f"{name}.json")
    files = _files(reader, folders, talks, kind)
    return sent(zip_stream.zipped(files), zip_stream.CONTENT_TYPE, f"{name}.zip")


def json_pieces(folders: list[Drawer], talks: Iterator[Talk]) -> Iterator[bytes]:
    """A line before the conversations, one for each, and one behind them."""
    head = _encoder.encode(Head(exported_at=utc_now(), folders=folders))
    yield head.removesuffix(b"}") + b',"conversations":[\n'
    for first in talks:
        yield _encoder.encode(conversation_export.with_digests(first))
        break
    for talk in talks:
        yield b",\n" + _encoder.encode(conversation_export.with_digests(talk))
    yield b"\n]}\n"


def _files(reader: Reader, folders: list[Drawer], talks: Iterator[Talk], kind: str) -> Iterator[File]:
    names = {folder.id: file_names.safe(folder.name) for folder in folders}
    for talk in talks:
        folder = names.get(talk.folder_id or "")
        path = f"{_named(reader, talk, f' {talk.id[-_SIGNS:]}')}.{kind}"
        content = _DRAWN[kind](reader, talk).encode()
        yield (f"{folder}/{path}" if folder else path), reader.local(talk.updated_at), content


def _named(reader: Reader, talk: Talk, mark: str) -> str:
    """A day before the title: in the order of names they lie in the order of time, and none is a formula."""
    title = file_names.safe(talk.title) or reader.t("portability.untitled")
    return f"{reader.local(talk.created_at):%Y-%m-%d} {title}{mark}"
