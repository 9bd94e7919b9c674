"""Reading a file in a process of its own, which can open nothing else, with little memory and little time.

On Windows only the time is bounded, and the environment kept from it: it takes and opens what the server could.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import structlog

from flask_app import config, i18n
from flask_app.domain import files
from flask_app.errors import Invalid
from flask_app.services.files.places import Places

CHILD = Path(__file__).parents[1] / "file_reading" / "child.py"
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")
CHILD_SECONDS = 30
_MOST_LINE = 4096  # bytes
_LIMITS = {"file_too_long": {"limit": files.MOST_TEXT_MB, "pages": files.MOST_PAGES}}

log = structlog.get_logger()
children = Places(2, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a file is, and its text. `content` is what is kept: the file itself, or what was made of a picture.

    It is `bytes` long, from where it stands.
    """

    kind: str
    content_type: str
    width: int | None
    height: int | None
    pages: int | None
    text: str
    content: IO[bytes]
    bytes: int


def spool() -> IO[bytes]:
    """A file without a name where the instance keeps its own: gone with whoever opened it, whatever happens."""
    folder = config.current().instance_dir
    return tempfile.TemporaryFile(dir=folder)


@contextmanager
def read(sent: IO[bytes], user_id: str, language: str = i18n.DEFAULT_LOCALE) -> Iterator[Read]:
    """Within, what the file of this person comes to, whose language decides where an encoding is in doubt.

    Raises Invalid (file_empty, file_kind_unknown, file_unreadable, file_protected, file_old_office, picture_heic,
    picture_too_long, file_without_words, file_too_long), and Unavailable("files_busy") where
    others, or another of theirs, are being read all the while.
    """
    with spool() as output:
        if not sent.seek(0, io.SEEK_END):
            raise Invalid("file_empty")
        with children.one_of(user_id):
            done = _run(sent, output, language)
        yield _result(sent, output, is_whole=done)


def _run(sent: IO[bytes], output: IO[bytes], language: str) -> bool:
    """Has the child come to its end?"""
    sent.seek(0)
    child = subprocess.Popen(  # noqa: S603 - our own file, no outside words in the command
        [sys.executable, "-P", "-s", str(CHILD), language],
        stdin=sent,
        stdout=output,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        start_new_session=True,
    )
    try:
        status = child.wait(timeout=CHILD_SECONDS)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        child.kill()
        child.wait()
    if status != 0:
        log.info("file_not_read", status=status)
    return status == 0


def _result(sent: IO[bytes], output: IO[bytes], *, is_whole: bool) -> Read:
    output.seek(0)
    about: dict[str, Any] = msgspec.json.decode(output.readline(_MOST_LINE)) if is_whole else {}
    if "kind" not in about:
        code = about.get("error", "file_unreadable")
        raise Invalid(code, **_LIMITS.get(code, {}))
    text = output.read(about.pop("text")).decode()
    made = about.pop("content")
    content, length = (output, made) if made is not None else (sent, sent.seek(0, io.SEEK_END))
    if content is sent:
        sent.seek(0)
    return Read(**about, text=text, content=content, bytes=length)
