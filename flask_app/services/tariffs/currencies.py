"""In which currencies this site is billed: one begins with a key or a price, and only then money in it is limited."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, union
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of
from flask_app.domain.budget import TOKENS
from flask_app.domain.currencies import CODES, MEANT
from flask_app.domain.serving import OPENAI
from flask_app.errors import Invalid
from flask_app.models import ApiKey, Provider, Tariff

_keys, _providers, _tariffs = table_of(ApiKey), table_of(Provider), table_of(Tariff)
_KNOWN = union(select(_tariffs.c.currency), select(_providers.c.currency).where(_providers.c.kind == OPENAI))
_BILLED = (
    select(_providers.c.currency)
    .join(_keys, _keys.c.provider_id == _providers.c.id)
    .where(_providers.c.kind == OPENAI, _keys.c.deleted_at.is_(None), _keys.c.secret.is_not(None))
    .distinct()
)


def check(session: Session, unit: str) -> None:
    """May there be a limit or a balance in it? Raises Invalid where it is neither tokens nor a currency known here."""
    if unit == TOKENS or unit in (found := known(session.connection())):
        return
    if MEANT.get(unit) in found:
        raise Invalid("currency_is_called", currency=unit, meant=MEANT[unit])
    raise Invalid("currency_not_billed", currency=unit, known=", ".join(found))


def check_new(session: Session, currency: str) -> None:
    """May a key or a price be in it? Raises Invalid where there is no such currency, and it is none known here."""
    if currency in CODES or currency in known(session.connection()):
        return
    if currency in MEANT:
        raise Invalid("currency_is_called", currency=currency, meant=MEANT[currency])
    raise Invalid("unknown_currency", currency=currency)


def known(connection: Connection) -> list[str]:
    """Those of the providers and of the prices, also of ones that nobody has a key for."""
    return _usual_first(connection.scalars(_KNOWN).all())


def billed(connection: Connection) -> list[str]:
    """Those in which answers are booked now: of the providers that there is a key of."""
    return _usual_first(connection.scalars(_BILLED).all())


def counts_nothing(unit: str) -> bool:
    """Is it a currency in which no key bills, while some bill in another?"""
    if unit == TOKENS:
        return False
    with fetching() as connection:
        found = billed(connection)
    return bool(found) and unit not in found


def offered() -> tuple[list[str], list[str]]:
    """What an administrator can choose from, those that are billed first; and those that are."""
    with fetching() as connection:
        found = billed(connection)
        return [*found, *(each for each in known(connection) if each not in found)], found


def _usual_first(codes: Sequence[str]) -> list[str]:
    return sorted(codes, key=lambda code: (code != "CNY", code))
