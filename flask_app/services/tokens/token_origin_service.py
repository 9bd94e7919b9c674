"""The websites whose pages may ask with a token: its person lists them, none by itself.

A browser asks beforehand, without the token, whether a page may: yes where any token that can be used names its origin.
What the page then asks with a token is shown to it where that very token names the origin.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, exists, insert, or_, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, table_of, utc_now
from flask_app.errors import Invalid
from flask_app.models import AccessToken, TokenOrigin, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import own_tokens

MOST, MAX_LENGTH = 10, 300
# As browsers write it: the scheme, the host without its Unicode, the port where it is not the scheme's own.
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]{1,31})://([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?")
_OWN_PORTS = {"http": "80", "https": "443"}

_origins, _tokens, _users = table_of(TokenOrigin), table_of(AccessToken), table_of(User)
NAMES_IT = exists().where(_origins.c.token_id == _tokens.c.id, _origins.c.origin == bindparam("origin"))
_NAMED = select(
    exists()
    .where(_origins.c.origin == bindparam("origin"), _tokens.c.id == _origins.c.token_id)
    .where(_users.c.id == _tokens.c.user_id, _users.c.disabled.is_(False), _tokens.c.revoked_at.is_(None))
    .where(or_(_tokens.c.expires_at.is_(None), _tokens.c.expires_at > bindparam("now")))
)
_OF_TOKENS = (
    select(_origins.c.token_id, _origins.c.origin)
    .where(_origins.c.token_id.in_(bindparam("tokens", expanding=True)))
    .order_by(_origins.c.token_id, _origins.c.origin)
)


def put(actor: Actor, token_id: str, origins: Sequence[str]) -> list[str]:
    """Name the origins of one's token, in the place of those before; none at all takes them away.

    Raises Invalid as `checked` does, and NotFound for a foreign token too.
    """
    wanted = checked(origins)

    def work(session: Session) -> list[str]:
        token = own_tokens.hold(session, actor, token_id)
        before = list(session.scalars(select(TokenOrigin.origin).where(TokenOrigin.token_id == token_id)))
        if sorted(before) != wanted:
            forget(session, token_id)
            keep(session, token_id, wanted)
            details = {"name": token.name, "before": {"origins": sorted(before)}, "after": {"origins": wanted}}
            audit_service.record(session, actor.user, "token.origins", token_id, details, actor.address)
        return wanted

    return in_transaction(work)


def keep(session: Session, token_id: str, origins: Iterable[str]) -> None:
    """Within the caller's transaction, of a token that has none; they are `checked`."""
    if rows := [{"token_id": token_id, "origin": origin} for origin in origins]:
        session.execute(insert(TokenOrigin), rows)


def forget(session: Session, token_id: str) -> None:
    """A revoked token names none, in the same transaction."""
    session.execute(delete(TokenOrigin).where(TokenOrigin.token_id == token_id))


def checked(origins: Sequence[str]) -> list[str]:
    """As browsers send them, each once, in order. Raises Invalid("bad_origin") and Invalid("too_many_origins")."""
    found = {_read(each) for each in origins}
    if len(found) > MOST:
        raise Invalid("too_many_origins", limit=MOST)
    return sorted(found)


def sent(header: str) -> str:
    """An origin that a browser sends; empty for what is none that a token could name."""
    return header if len(header) <= MAX_LENGTH and _ORIGIN.fullmatch(header) else ""


def is_named(origin: str) -> bool:
    """Does any token that can be used name it?"""
    if not sent(origin):
        return False
    with fetching() as connection:
        return bool(connection.scalar(_NAMED, {"origin": origin, "now": utc_now()}))


def of(token_ids: Iterable[str]) -> dict[str, list[str]]:
    """The origins of these tokens, by the token's id."""
    found = defaultdict[str, list[str]](list)
    with fetching() as connection:
        for token_id, origin in connection.execute(_OF_TOKENS, {"tokens": list(token_ids)}):
            found[token_id].append(origin)
    return found


def _read(typed: str) -> str:
    """A slash at its end, letters' case and the scheme's own port are no difference."""
    text = typed.strip().lower().removesuffix("/")
    found = _ORIGIN.fullmatch(text)
    if found is None or len(text) > MAX_LENGTH:
        raise Invalid("bad_origin", origin=typed[:MAX_LENGTH])
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" if port in {None, _OWN_PORTS.get(scheme)} else text
