"""The files that imported questions name: with their contents where those came before, else by their names alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_app.database import new_id
from flask_app.domain import files, telling
from flask_app.models import User
from flask_app.services.files import message_files
from flask_app.services.portability.conversation_format import Named, Said
from flask_app.services.portability.message_tree import Placed, short

MOST_READ = 1000  # characters of a name, of which far fewer are kept
_MOST_NUMBER = 2**31 - 1
_TYPE_LENGTH, _UNKNOWN_TYPE = 128, "application/octet-stream"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KINDS = frozenset({files.PICTURE, files.DOCUMENT, files.TEXT})


@dataclass(frozen=True, slots=True)
class Rows:
    """What is written: `kept` are files without content, `goes_with` says which file goes with which message."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    goes_with: list[dict[str, Any]] = field(default_factory=list)


def of(said: Said) -> Sequence[Named]:
    """Those of a question, as many as one has here."""
    return said.files[: files.MOST_AT_ONCE] if said.role == "user" else ()


def wanted(placed: Sequence[Placed], contents: Mapping[str, str]) -> set[str]:
    """Which files of here are named by these, where `contents` says which one each of the file is."""
    return {contents[each.id] for _, said in placed for each in of(said) if each.id in contents}


def rows(actor: User, placed: Sequence[Placed], here: Mapping[str, str], now: datetime) -> Rows:
    """`here`: the ids of the person's own files, by those in the file."""
    made = Rows()
    without: dict[str, str] = {}
    for row, said in placed:
        taken = set[str]()
        for each in of(said):
            if each.id not in here and each.id not in without:
                made.kept.append(_named_alone(actor, each, now))
                without[each.id] = made.kept[-1]["id"]
            file_id = here.get(each.id) or without[each.id]
            if file_id not in taken:
                way = message_files.told(telling.known(each.told, each.told_parts or ""))
                about = {"position": len(taken), "name": _name(each), **way}
                made.goes_with.append({"message_id": row["id"], "file_id": file_id, **about})
            taken.add(file_id)
    return made


def _named_alone(actor: User, each: Named, now: datetime) -> dict[str, Any]:
    """Its digest is its own id: nobody sends it, and none is taken for the same."""
    file_id = new_id()
    return {
        "id": file_id,
        "user_id": actor.id,
        "digest": file_id,
        "kind": each.kind if each.kind in _KINDS else files.DOCUMENT,
        "content_type": short(each.content_type, _TYPE_LENGTH) or _UNKNOWN_TYPE,
        "name": _name(each),
        "bytes": min(max(each.bytes, 0), _MOST_NUMBER),
        "stored_bytes": 0,
        "tokens": 0,
        "created_at": now,
        "text": "",
        "content_digest": each.digest if each.digest and _DIGEST.fullmatch(each.digest) else None,
        "absent": files.EXPIRED if each.absent == files.EXPIRED else files.LEFT_OUT,
    }


def is_called(each: Named, name: str) -> bool:
    """Is it the one that has this name here?"""
    return _name(each) == name


def _name(each: Named) -> str:
    return files.named(each.name[:MOST_READ])
