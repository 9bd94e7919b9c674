"""Challenges that a passkey signs: good for five minutes, in one browser, once.

A challenge says itself until when it holds, and is signed for what it is for and for its holder: to give one away
takes no row, so that a page of strangers' costs nothing. The one that was used is written down until its time is over.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import utc_now
from flask_app.models import UsedChallenge
from flask_app.services.secrets.signing import same, sign

LIFETIME = timedelta(minutes=5)
_MOMENT, _RANDOM = 8, 24  # bytes; the signature's follow

Purpose = Literal["sign in", "add"]


class Spent(Exception):
    """A challenge whose time is over, that was used, or that is not this browser's."""


@dataclass(frozen=True, slots=True)
class Challenge:
    value: bytes
    expires_at: datetime


def new(purpose: Purpose, holder: str) -> bytes:
    """A challenge for `holder`, something that only one browser has."""
    until = int((utc_now() + LIFETIME).timestamp())
    body = until.to_bytes(_MOMENT) + secrets.token_bytes(_RANDOM)
    return body + _signature(purpose, holder, body)


def check(value: bytes, purpose: Purpose, holder: str) -> Challenge:
    """Was it given to this holder, for this, less than five minutes ago? Raises Spent."""
    body, signature = value[: _MOMENT + _RANDOM], value[_MOMENT + _RANDOM :]
    if not holder or not same(signature.hex(), _signature(purpose, holder, body).hex()):
        raise Spent
    expires_at = datetime.fromtimestamp(int.from_bytes(body[:_MOMENT]), UTC)
    if expires_at <= utc_now():
        raise Spent
    return Challenge(value, expires_at)


def use_up(session: Session, challenge: Challenge) -> None:
    """Within the caller's transaction: of several at once one gets through, the others get Spent."""
    session.execute(delete(UsedChallenge).where(UsedChallenge.expires_at <= utc_now()))
    row = {"id": hashlib.sha256(challenge.value).hexdigest(), "expires_at": challenge.expires_at}
    try:
        session.execute(insert(UsedChallenge).values(row))
    except IntegrityError as error:
        raise Spent from error


def _signature(purpose: Purpose, holder: str, body: bytes) -> bytes:
    return sign(f"passkey {purpose}", f"{holder}\0{body.hex()}")
