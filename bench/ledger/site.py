"""The site of the measurement: a MariaDB of its own with the settings of a small server, filled once."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text, update

from bench.ledger import balances
from bench.ledger.cast import ALONE, EMPTY, GROUPS
from bench.ledger.fill import fill
from bench.ledger.pages import Known
from bench.ledger.settlement import Asked
from flask_app import config, database
from flask_app.config import Config
from flask_app.database import reading, transaction, utc_now
from flask_app.domain import periods
from flask_app.models import AccessToken, ApiKey, Group, Reconciliation, SpentDaily, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.ledger import usage_check_service
from flask_app.services.people import managing_service, passwords
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.site import rate_admin_service
from flask_app.services.usage import slices
from flask_app.services.usage.stats_service import zone_of
from tests.support import storage
from tests.support.mariadb import DATABASE, MariaDB

BUFFER_POOL, LOG_FILE = "2G", "1G"
OPTIONS = (f"--innodb-buffer-pool-size={BUFFER_POOL}", f"--innodb-log-file-size={LOG_FILE}")
WHILE_FILLING = "--innodb-sort-buffer-size=64M"
NOTHING = "nothing"  # the database with an empty ledger
COPIED = ("groups", "users", "access_tokens", "budgets", "providers", "api_keys", "models", "tariffs")
AMPLE = 10**14  # of each budget: nothing is refused
PATIENCE_SECONDS = 7200
MANAGED = GROUPS[1][0]  # the largest group, whose manager looks at it
DRIFTS = 5  # days whose explanation is asked for, those of the most use
ODD_ZONE = "Asia/Kathmandu"  # its days begin at a quarter past: the finest blocks are read
PASSWORD = secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Site:
    """Addresses of the two databases; the readers by name, each with what they know."""

    url: str
    empty_url: str
    database_pid: int
    entries: int
    readers: dict[str, tuple[str, Known]]
    manager: str
    asked: Asked


@contextmanager
def running(folder: Path, rows: int, seed: int, say: Callable[[str], None]) -> Iterator[Site]:
    """The databases, filled unless `folder` has them from another time."""
    is_new = not (folder / "data").exists()
    server = MariaDB(str(folder), *OPTIONS, WHILE_FILLING)
    if is_new:
        server.install()
    else:
        server.start()
    try:
        with tempfile.TemporaryDirectory() as instance:
            _configure(Path(instance), server.url)
            yield _prepared(server.url, int((folder / "m.pid").read_text()), rows, seed, say)
    finally:
        database.disconnect()
        server.stop()


def _configure(instance: Path, url: str) -> None:
    secret_key, encryption_key = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
    known = Config(instance_dir=instance, database_url=url, secret_key=secret_key, encryption_key=encryption_key)
    config.install(known)


def _prepared(url: str, pid: int, rows: int, seed: int, say: Callable[[str], None]) -> Site:
    storage.migrate(url)
    database.connect(url, reply_seconds=PATIENCE_SECONDS)
    if not usage_check_service.count_entries():
        fill(rows, seed, utc_now(), say)
        balances.fill(_first_key(), "CNY", utc_now(), say)
    # Pages are read one after the other.
    rate_admin_service.set_site(Actor(None), {"requests": None, "downloads": None})
    _limit()
    empty_url = _nothing(url)
    readers = {"": _heaviest(None), f" in {ODD_ZONE}": _heaviest(ODD_ZONE)}
    return Site(
        url=url,
        empty_url=empty_url,
        database_pid=pid,
        entries=usage_check_service.count_entries(),
        readers={name: (user.username, _known(user)) for name, user in readers.items()},
        manager=_manager(),
        asked=_asked(),
    )


def _first_key() -> UsableKey:
    with reading() as session:
        key = session.scalars(select(ApiKey).where(ApiKey.label == "First account")).one()
    return UsableKey(key.id, "", "", key.provider_id)


def _limit() -> None:
    """Budgets of the site, of each group and of each of its people, beside those of access tokens: an answer is
    counted by all of them.
    """
    with reading() as session:
        groups = session.scalars(select(Group.id)).all()
    places = [Place(scope="site", unit="CNY", period="day")]
    places += [Place(scope="group", scope_id=each, unit="CNY", period="month") for each in groups]
    places += [Place(scope="member", scope_id=each, period="week") for each in groups]
    for place in places:
        budget_admin_service.put(Actor(None), place, AMPLE, hard=True)


def _nothing(url: str) -> str:
    """A database with the same people, budgets, keys and prices, and an empty ledger."""
    with database.writing() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {NOTHING}"))
        connection.execute(text(f"CREATE DATABASE {NOTHING} CHARACTER SET utf8mb4"))
    empty_url = url.removesuffix(DATABASE) + NOTHING
    storage.migrate(empty_url)
    with database.writing() as connection:
        for table in COPIED:
            connection.execute(text(f"INSERT IGNORE INTO {NOTHING}.{table} SELECT * FROM {DATABASE}.{table}"))
    return empty_url


def _heaviest(timezone: str | None) -> User:
    """Who used most in a time zone, an administrator from now on."""
    used = func.sum(SpentDaily.amount).desc()
    query = select(User).join(SpentDaily, SpentDaily.scope_id == User.id).where(SpentDaily.unit == "tokens")
    query = query.where(SpentDaily.scope == "user", User.timezone == timezone).group_by(User.id).order_by(used).limit(1)
    with transaction() as session:
        user = session.scalars(query).one()
        chosen = {"role": "admin", "disabled": False, "password_hash": passwords.make_hash(PASSWORD)}
        session.execute(update(User).where(User.id == user.id).values(chosen))
    return user


def _manager() -> str:
    """The name of somebody who manages a group from now on, and may see nothing else of the site."""
    query = select(User).join(Group, Group.id == User.group_id).where(Group.name == MANAGED, User.role == "member")
    with transaction() as session:
        user = session.scalars(query.where(User.disabled.is_(False)).order_by(User.id).limit(1)).one()
        user.password_hash = passwords.make_hash(PASSWORD)
    managing_service.appoint(Actor(None), str(user.group_id), [user.username])
    return user.username


def _known(reader: User) -> Known:
    zone, used = zone_of(reader), func.sum(SpentDaily.amount)
    quiet = select(SpentDaily.scope_id).where(SpentDaily.scope == "user").group_by(SpentDaily.scope_id).order_by(used)
    with reading() as session:
        groups = dict(session.execute(select(Group.name, Group.id)).all())
        keys = dict(session.execute(select(ApiKey.label, ApiKey.id)).all())
        since = slices.first_day(session, zone, None)
        quiet_person = session.scalars(quiet.limit(1)).one()
        drifts = session.scalars(select(Reconciliation.id).order_by(Reconciliation.booked.desc()).limit(DRIFTS)).all()
        tokens = session.scalars(select(AccessToken.id).where(AccessToken.user_id == reader.id)).all()
        others = session.scalars(select(AccessToken.id).order_by(AccessToken.id).limit(1)).all()
        record = session.execute(select(TokenUsage.id, TokenUsage.attempt_id).limit(1)).one()
    assert since
    return Known(
        since=since,
        today=periods.local_day(utc_now(), zone),
        person=reader.id,
        quiet_person=quiet_person,
        groups=[groups[name] for name in (GROUPS[1][0], ALONE, EMPTY)],
        managed=groups[MANAGED],
        keys=[keys["First account"], keys["Deleted key"]],
        drifts=list(drifts),
        tokens=[*tokens, *others],
        ids=list(record),
    )


def _asked() -> Asked:
    with reading() as session:
        key = session.scalars(select(ApiKey).where(ApiKey.label == "First account")).one()
        people = [(user_id, None) for user_id in session.scalars(select(User.id).where(User.disabled.is_(False)))]
        with_token = select(AccessToken.user_id, AccessToken.id).join(User, User.id == AccessToken.user_id)
        programs = session.execute(with_token.where(User.disabled.is_(False))).tuples().all()
    return Asked([*people, *programs], key.provider_id, key.id, "deepseek-flash", "CNY")


def count_entries(site: Site) -> int:
    """As it is now, after what was settled meanwhile."""
    database.connect(site.url)
    return usage_check_service.count_entries()
