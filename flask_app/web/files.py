"""Files in messages: how one is received, and what is told of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import chain
from typing import IO, Annotated, Literal
from urllib.parse import quote

import msgspec
from flask import Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from flask_app.domain import document_pages, files, telling
from flask_app.errors import BadRequest, TooLarge
from flask_app.services.files import file_service, reader
from flask_app.services.files.document_parts import Wanted
from flask_app.services.files.file_service import Arrived, Facts
from flask_app.services.files.message_files import Going
from flask_app.services.files.places import Places
from flask_app.services.operations import disk
from flask_app.web.bodies import Body, Reply, arriving

SECONDS = 300  # for a file to come: half a megabit per second
STRETCH, STRETCH_SECONDS = 1 << 20, 60  # so much of it comes in so long, or the rest
_PART = 1 << 16
_FORMS = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
KEPT = "private, no-cache"  # each time it is asked whose it is, and whether it is still there

coming = Places(8, 2)

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-z]{26}$")]


class MessageFileReply(Reply):
    """`kind` is picture, document or text. `bytes` is the length of what is kept; `pages` are also slides and sheets,
    null where they are not known. A picture has a width and a height, in pixels. `absent` is why its content is not
    here: expired, or left_out of what was imported; null where it is.
    """

    id: str
    name: str
    kind: str
    content_type: str
    bytes: int
    width: int | None
    height: int | None
    pages: int | None
    absent: str | None


class SentFileReply(MessageFileReply):
    """`told` is how its words are told to a model: whole, pages (those of `told_pages`, as in "3-7, 12") or search (the
    passages that fit the question). Of a picture it is whole. `tokens` is about how many it adds to a prompt at most;
    `whole_tokens` how many all of it would. `found_by`: passages were found by their meaning too, or by words alone,
    because the budget had no room, it was too late, or it failed; null where nobody is asked for vectors.
    """

    told: str
    told_pages: str | None
    tokens: int
    whole_tokens: int
    found_by: str | None


class FileToSend(Body):
    """A file of one's own, and how a model is told its words: `whole`, the `pages` that are named, as in "3-7, 12", or
    `search`: passages of them that fit the message, some 8,000 tokens at most.
    """

    id: Id
    told: Literal["whole", "pages", "search"] = "whole"
    pages: Annotated[str, msgspec.Meta(max_length=document_pages.LONGEST_WRITTEN)] = ""

    def wanted(self) -> Wanted:
        """Pages say nothing where it is told otherwise."""
        return Wanted(self.id, self.told, self.pages if self.told == telling.PAGES else "")


class FileReply(MessageFileReply):
    """`tokens` is about how many it adds to a prompt."""

    tokens: int


class AddedFileReply(FileReply):
    """`omits`: pictures, or pages without words, of a document are not read, and stand in its text as such."""

    omits: bool


class FilesState(Reply):
    """How many megabytes a file may have, and how many files a message. The passages of a question's documents have
    `search_tokens` at most, together.
    """

    most_mb: int
    most: int
    search_tokens: int


def files_state() -> FilesState | None:
    """None where the person's group may attach none."""
    if g.file_quota_mb <= 0:
        return None
    return FilesState(most_mb=files.MOST_MB, most=files.MOST_AT_ONCE, search_tokens=telling.MOST_TOKENS)


def file_reply(facts: Facts) -> FileReply:
    return FileReply(**{name: getattr(facts, name) for name in FileReply.__struct_fields__})


def added_file_reply(facts: Facts, *, omits: bool) -> AddedFileReply:
    return AddedFileReply(**{name: getattr(facts, name) for name in FileReply.__struct_fields__}, omits=omits)


def sent_file_reply(going: Going) -> SentFileReply:
    names = set(SentFileReply.__struct_fields__) - {"whole_tokens"}
    said = {name: getattr(going, name) for name in names} | {"whole_tokens": going.tokens}
    if going.told == telling.SEARCH:
        said["tokens"] = min(going.tokens, telling.MOST_TOKENS)
    return SentFileReply(**said)


@contextmanager
def received(user_id: str) -> Iterator[Arrived]:
    """The request's body, on disk.

    Raises TooLarge("file_too_large"), BadRequest for a body of another kind, TooSlow, and Unavailable: "files_busy"
    where too many come at once, "disk_full".
    """
    if request.mimetype in _FORMS:
        raise BadRequest
    if (request.content_length or 0) > files.MOST_BYTES:
        raise _too_large()
    disk.require_reserve()
    request.max_content_length = files.MOST_BYTES + 1  # a stream that has come to its limit counts as beyond it
    name = files.named(request.args.get("name", ""))
    with coming.one_of(user_id), reader.spool() as content:
        with arriving(SECONDS):
            digest = _spool(content)
        yield Arrived(content, digest, name, g.locale)


def _spool(content: IO[bytes]) -> str:
    """Gives the digest of what was written."""
    digest, length = hashlib.sha256(file_service.READ_AS), 0
    try:
        while stretch := _stretch(content, digest):
            length += stretch
            if length > files.MOST_BYTES:
                raise _too_large()
    except RequestEntityTooLarge as error:
        raise _too_large() from error
    content.flush()
    return digest.hexdigest()


def _stretch(content: IO[bytes], digest: "hashlib._Hash") -> int:
    """Takes in a part that may not last longer than `STRETCH_SECONDS`; gives its length."""
    length = 0
    with arriving(STRETCH_SECONDS):
        while length < STRETCH and (part := request.stream.read(_PART)):
            length += len(part)
            digest.update(part)
            content.write(part)
    return length


def _too_large() -> TooLarge:
    return TooLarge("file_too_large", limit=files.MOST_MB)


def sent(facts: Facts) -> Response:
    """A picture to be seen, anything else to be kept; nothing in it runs (`headers`).

    Raises Unavailable("files_unavailable") before anything is said.
    """
    response = Response(content_type=facts.content_type)
    how = "inline" if facts.kind == files.PICTURE else "attachment"
    plain = facts.name.encode("ascii", "ignore").decode().lstrip("-")
    headers = response.headers
    headers["Content-Disposition"] = f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(facts.name)}"
    headers["Content-Length"] = str(facts.bytes)
    headers["Cache-Control"] = KEPT
    response.set_etag(facts.id)  # another content has another id
    response.make_conditional(request)
    if response.status_code == HTTPStatus.OK and request.method == "GET":
        parts = file_service.content(facts)
        response.response = chain([next(parts, b"")], parts)
    return response
