"""Personal access tokens: made and revoked by their people, and looked up by the whole token's digest.

A token is told once; only its digest is stored.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Select, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, in_writing, reading, table_of, utc_now
from flask_app.domain.serving import Allowed, folded
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import AccessToken, Group, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets.budget_service import Standing, take_turn
from flask_app.services.gateway import word_log
from flask_app.services.people import group_models
from flask_app.services.providers import model_service
from flask_app.services.runs import stop_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import visits
from flask_app.services.site import rates
from flask_app.services.tokens import token_access_service, token_budget_service, token_origin_service
from flask_app.services.tokens.token_access_service import ANYHOW, Access
from flask_app.services.tokens.token_budget_service import Cap
from flask_app.statements import Query

MOST = 50  # of one person that can still be used
MAX_NAME, MAX_DAYS, MAX_MODELS = 64, 3650, 50
USED_EVERY = timedelta(minutes=1)  # "last used" is no finer than this
MOST_NOTED = 10_000  # tokens of which this process remembers that it has just noted it
PREFIX, RANDOM_BYTES, HINT = "sk-", 24, 4

_SHAPE = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * RANDOM_BYTES}}}")
_users, _tokens = table_of(User), table_of(AccessToken)
_groups, _settings = table_of(Group), table_of(Setting)
# Every request of a program runs one statement, and each column of its row takes its time. What of a person no request
# of a program asks for is not there: who would read it all the same fails.
_PERSON = ("id", "role", "is_owner", "locale", "seen_locale", "timezone")
_TOKEN_COLUMNS = (
    *("id", "name", "models", "expires_at", "last_used_at", "words_until"),
    *("requests_per_minute", "parallel_requests", "networks", "on_disconnect"),
)
_FOUND = (
    select(
        *(_users.c[name] for name in _PERSON),
        *(_tokens.c[name].label(f"token_{name}") for name in _TOKEN_COLUMNS),
        _groups.c.rates.label("group_rates"),
        _groups.c.access.label("group_access"),
        _groups.c.models.label("group_models"),
        select(_settings.c.value).where(_settings.c.name == rates.NAME).scalar_subquery().label("site_rates"),
    )
    .join(_tokens, _tokens.c.user_id == _users.c.id)
    .join(_groups, _groups.c.id == _users.c.group_id)
    .where(_tokens.c.digest == bindparam("digest"), _tokens.c.revoked_at.is_(None), _users.c.disabled.is_(False))
)
_VISIT = Query(_FOUND)
_VISIT_OF_PAGE = Query(_FOUND.add_columns(token_origin_service.NAMES_IT.correlate(_tokens).label("names_origin")))
_NOTE_USED = (
    update(_tokens)
    .where(
        _tokens.c.id == bindparam("token"),
        or_(_tokens.c.last_used_at.is_(None), _tokens.c.last_used_at < bindparam("long_ago")),
    )
    .values(last_used_at=bindparam("now"))
)

log = structlog.get_logger()
_noted: dict[str, datetime] = {}  # when this process noted last that a token was used


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a new token shall be: for how many days, or for ever; for which models by name, or for all; how far; on
    the pages of which websites; how often, from where, and whether answers end where its program leaves.
    """

    name: str
    days: int | None = None
    models: Sequence[str] | None = None
    budget: Cap | None = None
    origins: Sequence[str] = ()
    access: Access = ANYHOW


@dataclass(frozen=True, slots=True)
class Made:
    """`secret` is the token itself, known nowhere else. `budget` is how its budget stands, where it has one."""

    token: AccessToken
    secret: str
    budget: Standing | None


@dataclass(frozen=True, slots=True)
class Visit:
    """A request made with a token. `models` are the only names it may ask for, those of its group among them; None is
    all. `rates` are as stored, and `access`, that of the group. It was looked at `at` that moment.

    `origin` is that of the page that asks, where the token names it. `keeps_words`: what is asked and answered is kept
    for its person. `requests_per_minute` is the token's own rate, `parallel_requests` how many
    answers it may have in the making, `networks` where it may be used from, `on_disconnect` what becomes of an answer
    whose program leaves, as stored.
    """

    user: User
    token_id: str
    name: str
    models: Allowed
    at: datetime
    last_used_at: datetime | None
    rates: tuple[str | None, ...]
    origin: str | None = None
    keeps_words: bool = False
    requests_per_minute: int | None = None
    parallel_requests: int | None = None
    networks: str | None = None
    on_disconnect: str = token_access_service.STOP
    access: str = "{}"


def make(actor: Actor, session_id: str, wanted: Wanted, allowed: Allowed = None) -> Made:
    """A new token of the person who is signed in there.

    Raises Invalid, and Conflict("too_many_tokens") for one too many.
    """
    owner, secret = _person(actor), PREFIX + secrets.token_hex(RANDOM_BYTES)
    origins, access = token_origin_service.checked(wanted.origins), token_access_service.checked(wanted.access)
    name, models = _checked_name(wanted.name), _checked_models(wanted.models, allowed)
    if wanted.days is not None and not 0 < wanted.days <= MAX_DAYS:
        raise Invalid("bad_token_days", limit=MAX_DAYS)
    now = utc_now()

    def work(session: Session) -> tuple[AccessToken, Standing | None]:
        session.execute(select(User.id).where(User.id == owner.id).with_for_update())
        visits.require_open(session, session_id)
        if (session.scalar(_count(owner.id, now)) or 0) >= MOST:
            raise Conflict("too_many_tokens", limit=MOST)
        token = AccessToken(user_id=owner.id, name=name, digest=digest(secret), hint=secret[-HINT:], created_at=now)
        token.models = msgspec.json.encode(models).decode() if models else None
        token.expires_at = now + timedelta(days=wanted.days) if wanted.days else None
        token_access_service.keep(token, access)
        session.add(token)
        session.flush()
        token_origin_service.keep(session, token.id, origins)
        details: dict[str, object] = {"name": name, "days": wanted.days, "models": models}
        details |= ({"origins": origins} if origins else {}) | token_access_service.told(access)
        audit_service.record(session, owner, "token.create", token.id, details, actor.address)
        return token, token_budget_service.keep(session, actor, token.id, wanted.budget) if wanted.budget else None

    token, standing = in_transaction(work)
    return Made(token, secret, standing)


def own(actor: User) -> Sequence[AccessToken]:
    """One's tokens that are not revoked, the newest first; those that have expired are among them."""
    mine = select(AccessToken).where(AccessToken.user_id == actor.id, AccessToken.revoked_at.is_(None))
    with reading() as session:
        return session.scalars(mine.order_by(AccessToken.id.desc()).limit(4 * MOST)).all()


def revoke_own(actor: Actor, token_id: str) -> None:
    """End one of one's tokens, and what is being answered to it. Raises NotFound for a foreign one too."""
    owner = _person(actor)
    in_transaction(lambda session: revoke(session, actor, token_id, owner_id=owner.id))
    stop_service.stop_token(token_id)


def revoke(session: Session, actor: Actor, token_id: str, *, owner_id: str | None = None) -> None:
    """Within the caller's transaction; afterwards `stop_service.stop_token` ends its answers. Raises NotFound."""
    owner = session.scalar(select(AccessToken.user_id).where(AccessToken.id == token_id))
    if owner is None or owner_id not in {None, owner}:
        raise NotFound
    take_turn(session.connection(), owner)  # a server looks at their row when an index with their id is written
    token = session.get_one(AccessToken, token_id, with_for_update=True)
    if token.revoked_at is not None:
        raise NotFound
    token.revoked_at, token.words_until = utc_now(), None
    session.flush()
    token_budget_service.forget(session, token.id)
    token_origin_service.forget(session, token.id)
    word_log.forget(session, token.id)
    details = {"name": token.name, "of": token.user_id}
    audit_service.record(session, actor.user, "token.revoke", token.id, details, actor.address)


def state_of(token: AccessToken, now: datetime) -> str:
    """One of revoked, expired, active."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "active"


def models_of(stored: str | None) -> list[str] | None:
    """The only models that it may ask for; None is all."""
    return None if stored is None else msgspec.json.decode(stored, type=list[str])


def visit(secret: str, origin: str = "") -> Visit | None:
    """Who asks with this token; None where it opens nothing, or no longer, or its person is disabled.

    `origin` is that of the page which asks, as its browser says, or empty.
    """
    if not _SHAPE.fullmatch(secret):
        return None
    query, terms = (_VISIT_OF_PAGE, {"origin": origin}) if origin else (_VISIT, {})
    with fetching() as connection:
        row = query.row(connection, terms | {"digest": digest(secret)})
    if row is None:
        return None
    now = utc_now()
    if row.token_expires_at is not None and row.token_expires_at <= now:
        return None
    models = models_of(row.token_models)
    stored = (row.group_rates, row.site_rates)
    user = visits.person_in(row, _PERSON)
    allowed = group_models.read(row.group_models)
    if models is not None:
        own = frozenset(map(folded, models))
        allowed = own if allowed is None else own & allowed
    used_at, named = row.token_last_used_at, origin if origin and row.names_origin else None
    keeps_words = row.token_words_until is not None and row.token_words_until > now
    return Visit(
        *(user, row.token_id, row.token_name, allowed, now, used_at, stored, named, keeps_words),
        requests_per_minute=row.token_requests_per_minute,
        parallel_requests=row.token_parallel_requests,
        networks=row.token_networks,
        on_disconnect=row.token_on_disconnect,
        access=row.group_access,
    )


def note_used(visited: Visit) -> None:
    """Note that the token was used, at most once a minute; a reply must not fail for it.

    Of the many whose answers took a while, and who all saw an old moment, only the first writes.
    """
    token_id, now, noted = visited.token_id, utc_now(), _noted.get(visited.token_id)
    seen = visited.last_used_at if noted is None or noted < visited.at else noted
    if seen is not None and now - seen < USED_EVERY:
        return
    if len(_noted) >= MOST_NOTED:
        _noted.clear()
    _noted[token_id] = now
    terms = {"token": token_id, "now": now, "long_ago": now - USED_EVERY}
    try:
        in_writing(lambda connection: connection.execute(_NOTE_USED, terms))
    except SQLAlchemyError as error:
        _noted.pop(token_id, None)
        log.warning("last_used_not_written", token=token_id, reason=str(error.__cause__ or error))


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise NotFound
    return actor.user


def _count(user_id: str, now: datetime) -> Select[int]:
    usable = (AccessToken.revoked_at.is_(None), or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > now))
    return select(func.count()).select_from(AccessToken).where(AccessToken.user_id == user_id, *usable)


def _checked_name(raw: str) -> str:
    name = raw.strip()
    if not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise Invalid("bad_label", limit=MAX_NAME)
    return name


def _checked_models(names: Sequence[str] | None, allowed: Allowed) -> list[str] | None:
    """As their providers call them, whatever name was given. Raises as `model_service.find` does."""
    if names is not None and not 0 < len(names) <= MAX_MODELS:
        raise Invalid("bad_token_models", limit=MAX_MODELS)
    return (
        None if names is None else sorted({model_service.find(name, allowed, with_vectors=True).name for name in names})
    )
