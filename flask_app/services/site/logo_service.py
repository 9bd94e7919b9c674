"""The site's own logo: checked, kept as the picture alone, and read by its digest."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flask_app.database import fetching
from flask_app.domain import pictures
from flask_app.domain.pictures import Picture
from flask_app.errors import Invalid, NotFound
from flask_app.models import Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import stored_settings
from flask_app.services.site.site_service import MARK

NAME = "logo"
MOST_BYTES = 1 << 18
LEAST_EDGE = 32  # pixels


@dataclass(frozen=True, slots=True)
class Kept:
    kind: str
    content: bytes


def choose(actor: Actor, content: bytes) -> None:
    """From the next page on. Raises Invalid("logo_too_large", "bad_logo")."""
    if len(content) > MOST_BYTES:
        raise Invalid("logo_too_large", limit=MOST_BYTES >> 10)
    picture = _read(content)
    digest = hashlib.sha256(picture.content).hexdigest()[:32]
    mark = {"digest": digest, "kind": picture.kind, "width": picture.width, "height": picture.height}
    kept = {"digest": digest, "kind": picture.kind, "content": base64.b64encode(picture.content).decode()}

    def work(session: Session) -> None:
        found = stored_settings.locked(session, MARK, NAME)
        stored_settings.keep(session, found, {MARK: json.dumps(mark), NAME: json.dumps(kept)})
        _record(session, actor, _digest(found), digest)

    stored_settings.in_turn(work)


def remove(actor: Actor) -> None:
    """Show the product's own mark again."""

    def work(session: Session) -> None:
        found = stored_settings.locked(session, MARK, NAME)
        session.execute(delete(Setting).where(Setting.name.in_((MARK, NAME))))
        _record(session, actor, _digest(found), None)

    stored_settings.in_turn(work)


def read(digest: str) -> Kept:
    """Raises NotFound for any but the one of now."""
    with fetching() as connection:
        stored = connection.scalar(select(Setting.value).where(Setting.name == NAME))
    kept = json.loads(stored) if stored else {}
    if kept.get("digest") != digest:
        raise NotFound
    return Kept(kept["kind"], base64.b64decode(kept["content"]))


def _read(content: bytes) -> Picture:
    try:
        picture = pictures.read(content)
    except ValueError as error:
        raise refusal() from error
    if min(picture.width, picture.height) < LEAST_EDGE:
        raise refusal()
    return picture


def refusal() -> Invalid:
    return Invalid("bad_logo", least=LEAST_EDGE, most=pictures.MOST_EDGE)


def _digest(stored: Mapping[str, str]) -> str | None:
    return str(json.loads(stored[MARK])["digest"]) if MARK in stored else None


def _record(session: Session, actor: Actor, before: str | None, after: str | None) -> None:
    if difference := audit_service.difference({"logo": before}, {"logo": after}):
        audit_service.record(session, actor.user, "site.change", NAME, difference, actor.address)
