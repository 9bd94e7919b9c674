"""Every column that holds something sealed: whoever seals into another one adds it here, and a test says so."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, select, true, update

from flask_app.database import table_of
from flask_app.models import (
    ApiKey,
    IdentityProvider,
    InvitationLetter,
    ProgramWords,
    SecondStep,
    Setting,
    Share,
    ToolServer,
)
from flask_app.services.secrets import sealing
from flask_app.services.secrets.sealing import Unreadable
from flask_app.services.warnings import webhook_service

AT_ONCE = 20  # a program's kept words may be more than a megabyte

_keys, _second_steps, _settings = table_of(ApiKey), table_of(SecondStep), table_of(Setting)
_words, _identity_providers, _shares = table_of(ProgramWords), table_of(IdentityProvider), table_of(Share)
_letters, _tool_servers = table_of(InvitationLetter), table_of(ToolServer)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """`row_id` is what the secret is bound to, `where` the rows that hold one; `as_text`: in Base64."""

    column: Column[Any]
    row_id: Column[Any]
    where: ColumnElement[bool]
    as_text: bool = False

    def opened(self, value: Any) -> bytes:
        return base64.b64decode(value) if self.as_text else value

    def stored(self, sealed: bytes) -> Any:
        return base64.b64encode(sealed).decode() if self.as_text else sealed


SEALED = (
    SealedColumn(_keys.c.secret, _keys.c.id, true()),
    SealedColumn(_words.c.content, _words.c.id, true()),
    SealedColumn(_second_steps.c.secret, _second_steps.c.user_id, true()),
    SealedColumn(_shares.c.token, _shares.c.id, true()),
    SealedColumn(_letters.c.code, _letters.c.invitation_id, true()),
    SealedColumn(_identity_providers.c.secret, _identity_providers.c.id, true()),
    SealedColumn(_tool_servers.c.secret, _tool_servers.c.id, true()),
    SealedColumn(_settings.c.value, _settings.c.name, _settings.c.name == webhook_service.NAME, as_text=True),
)


@dataclass(frozen=True, slots=True)
class Secret:
    """One that is stored: where, and as what."""

    place: SealedColumn
    row_id: str
    sealed: bytes

    @property
    def where(self) -> str:
        return f"{self.place.column.table.name}.{self.place.column.name} of {self.row_id}"


def stored(connection: Connection, *, lock: bool = False) -> Iterator[Secret]:
    """All of them, a few read at a time. `lock`: nobody else changes them in the rest of the transaction."""
    for place in SEALED:
        after: str | None = None
        while rows := connection.execute(_page(place, after, lock=lock)).all():
            after = rows[-1][0]
            for row_id, value in rows:
                yield Secret(place, row_id, place.opened(value))


def _page(place: SealedColumn, after: str | None, *, lock: bool) -> Select[str, Any]:
    there = select(place.row_id, place.column).where(place.where, place.column.is_not(None))
    there = there if after is None else there.where(place.row_id > after)
    there = there.order_by(place.row_id).limit(AT_ONCE)
    return there.with_for_update() if lock else there


def is_readable(secret: Secret) -> bool:
    try:
        sealing.unseal(secret.sealed, secret.row_id)
    except Unreadable:
        return False
    return True


@dataclass(slots=True)
class Resealed:
    """How many secrets are sealed with the present key only now, and how many no key opened."""

    resealed: int = 0
    unreadable: int = 0


def reseal(connection: Connection, keys: Sequence[str] = ()) -> Resealed:
    """Seal with the present key what was sealed with another of `keys` (those of `sealing` where none are given)."""
    done = Resealed()
    for secret in stored(connection, lock=True):
        if sealing.is_newest(secret.sealed):
            continue
        place = secret.place
        try:
            plain = sealing.unseal(secret.sealed, secret.row_id, keys)
        except Unreadable:  # it could not be opened before either
            done.unreadable += 1
            continue
        fresh = place.stored(sealing.seal(plain, secret.row_id))
        connection.execute(
            update(place.column.table).where(place.row_id == secret.row_id).values({place.column: fresh})
        )
        done.resealed += 1
    return done
