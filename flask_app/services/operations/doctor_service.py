"""What an operator should know before people do: each check gives findings, and none of them changes anything."""

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from redis.exceptions import RedisError
from sqlalchemy import Row, select, text
from sqlalchemy.exc import DBAPIError

from flask_app import config, redis_client
from flask_app.column_types import ByServer
from flask_app.config import Config
from flask_app.database import engine, fetching, table_of
from flask_app.engines import OTHERS
from flask_app.errors import UpstreamError
from flask_app.models import ApiKey, Provider
from flask_app.services.ledger import journal
from flask_app.services.operations import (
    certificate_file,
    disk,
    doctor_budgets,
    doctor_care,
    doctor_embeddings,
    doctor_files,
    doctor_search,
    doctor_tools,
)
from flask_app.services.operations.finding import BAD, GOOD, WARNING, Finding, counted
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.secrets import sealed, sealing
from flask_app.services.secrets.sealing import Unreadable
from flask_app.services.warnings import wording
from flask_app.upstream.short_replies import dated_models

CLOCK_SECONDS = 5
CERTIFICATE_DAYS = 14
PATIENCE_SECONDS = 5.0
OLDEST_REDIS = (6, 2)

_keys, _providers = table_of(ApiKey), table_of(Provider)
_KEYS = (
    select(_keys.c.id, _keys.c.label, _keys.c.secret, _providers.c.name.label("provider"), _providers.c.base_url)
    .join(_providers, _providers.c.id == _keys.c.provider_id)
    .where(key_service.usable())
    .order_by(_providers.c.name, _keys.c.label)
)


def examine() -> Iterator[Finding]:
    """Everything that can be looked at, one finding after the other."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _secrets,
        _database,
        _redis,
        _space,
        _journal,
        _hosts,
        _certificates,
        doctor_files.store,
        doctor_care.mail,
        doctor_care.last_backup,
        doctor_care.whole_rollup,
        doctor_care.known_holidays,
        doctor_budgets.never_reached,
        doctor_search.searching,
        doctor_embeddings.vectors,
        doctor_tools.servers,
    )
    for check in checks:
        yield from check()


def _secrets() -> Iterator[Finding]:
    """Files with secrets, or with all that people write, that other people of this machine may read."""
    files = [("secrets", config.ROOT / ".env"), ("secrets", config.current().instance_dir / "secrets.json")]
    if path := _file_of_the_database():
        files += [("database", file) for file in sorted(path.parent.glob(f"{path.name}*"))]  # those kept aside too
    if os.name == "posix":
        for what, file in files:
            if file.exists() and file.stat().st_mode & OTHERS:
                yield Finding(WARNING, f"{what}: others may read {file}", f"Run: chmod 600 {file}")


def _file_of_the_database() -> Path | None:
    """None where it is a server's."""
    url = engine().url
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _database() -> Iterator[Finding]:
    """What needs the database is looked at where it answers."""
    from alembic.script import ScriptDirectory  # the server does without

    name = engine().dialect.name
    migrations = ScriptDirectory(str(config.ROOT / "migrations"))
    newest = migrations.get_current_head()
    try:
        with fetching() as connection:
            version = ".".join(map(str, cast("Any", connection.dialect).server_version_info or ()))
            now = connection.execute(select(ByServer(0))).scalar_one()
            schema = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
            keys = connection.execute(_KEYS).all() if schema == newest else []
    except DBAPIError as error:
        yield Finding(BAD, f"database: {error.orig}", "See that it runs and that DATABASE_URL is right; then migrate.")
        return
    yield Finding(GOOD, f"database: {name} {version}")
    yield _schema(schema, migrations)
    yield _clock("the database's", now)
    if schema == newest:
        yield from _sealed()
    for key in keys:
        yield from _key(key)
    if schema == newest and not keys and not config.current().deepseek_api_key:
        yield Finding(WARNING, "keys: none can be asked", "Add one on the page API keys, or set DEEPSEEK_API_KEY.")


def _clock(whose: str, told: datetime) -> Finding:
    apart = abs((told - datetime.now(UTC)).total_seconds())
    what = f"clock: {apart:.0f} s from {whose}"
    if apart > CLOCK_SECONDS:
        return Finding(WARNING, what, "Set both by NTP: prices and budgets go by the clock.")
    return Finding(GOOD, what)


def _schema(found: str | None, migrations: Any) -> Finding:
    newest = migrations.get_current_head()
    if found == newest:
        return Finding(GOOD, f"schema: {found}")
    if found in {None, *(each.revision for each in migrations.walk_revisions())}:
        return Finding(BAD, f"schema: {found}, the code's is {newest}", "Run: python -m scripts.migrate")
    advice = "Bring this instance to the version that made it."
    return Finding(WARNING, f"schema: {found}, of a newer version; the code's is {newest}", advice)


def _sealed() -> Iterator[Finding]:
    """Everything that is sealed in the database."""
    total, old, unreadable = 0, 0, list[str]()
    with fetching() as connection:
        for secret in sealed.stored(connection):
            total += 1
            if not sealed.is_readable(secret):
                unreadable.append(secret.where)
            elif not sealing.is_newest(secret.sealed):
                old += 1
    for where in unreadable:
        advice = "Bring back the ENCRYPTION_KEY of its day, or enter it anew."
        yield Finding(BAD, f"secret {where}: cannot be decrypted", advice)
    if old:
        yield Finding(WARNING, f"secrets: {old} sealed with the old ENCRYPTION_KEY", "Run: flask secrets rotate")
    elif not unreadable:
        yield Finding(GOOD, f"secrets: {total} can be decrypted")


def _key(row: Row[*tuple[Any, ...]]) -> Iterator[Finding]:
    """Can it be read, does its provider take it, and what time is it there?"""
    what = f"key {row.label} of {row.provider}"
    try:
        secret = sealing.unseal(row.secret, row.id)
    except Unreadable:
        yield Finding(
            BAD, f"{what}: cannot be decrypted", "Bring back the ENCRYPTION_KEY of its day, or enter it anew."
        )
        return
    began = time.monotonic()
    try:
        models, moment = dated_models(UsableKey(row.id, row.base_url, secret).endpoint())
    except UpstreamError as error:
        yield Finding(BAD, f"{what}: does not work at {row.base_url}", wording.key_trouble(error.code, "en"))
        return
    yield Finding(GOOD, f"{what}: {counted(len(models), 'model')}, {time.monotonic() - began:.1f} s")
    if moment:
        yield _clock(f"that of {row.provider}", moment)


def _redis() -> Iterator[Finding]:
    url = config.current().redis_url
    if url is None:
        return
    try:
        version = str(redis_client.client(url, seconds=PATIENCE_SECONDS).info("server")["redis_version"])
    except RedisError as error:
        yield Finding(
            BAD, f"redis: {error}", "See that it runs and that REDIS_URL is right. Until then each process is alone."
        )
        return
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        yield Finding(BAD, f"redis: {version}", "6.2 or newer is needed.")
    else:
        yield Finding(GOOD, f"redis: {version}")


def _space() -> Iterator[Finding]:
    for what, folder in zip(("disk", "disk of the database"), disk.folders(), strict=False):
        yield _space_in(what, folder)


def _space_in(what: str, folder: Path) -> Finding:
    free = disk.free_bytes(folder) // disk.MEGABYTE
    advice = f"Make room where {folder} is: without it nothing can be saved."
    level = BAD if free < disk.NONE else WARNING if free < disk.LITTLE else GOOD
    return Finding(level, f"{what}: {free:,} MB free", "" if level == GOOD else advice)


def _journal() -> Iterator[Finding]:
    waiting, aside = len(journal.waiting()), journal.count_aside()
    if waiting:
        what = f"journal: {counted(waiting, 'settlement')} waiting"
        yield Finding(WARNING, what, "The running server books what waits once the database answers.")
    if aside:
        what = f"journal: {counted(aside, 'file')} set aside"
        yield Finding(WARNING, what, "Look into journal/aside of INSTANCE_DIR: it is for a person to judge.")
    if not waiting and not aside:
        yield Finding(GOOD, "journal: empty")


def _hosts() -> Iterator[Finding]:
    settings = config.current()
    public = _public_hosts()
    if settings.trusted_proxies and not public:
        yield Finding(
            WARNING, "hosts: a proxy is trusted, and no name is allowed", "Set ALLOWED_HOSTS to the site's name."
        )
    elif public and not settings.trusted_proxies:
        yield Finding(
            WARNING, f"hosts: {', '.join(public)}, no proxy", "Behind a proxy with TLS, set TRUSTED_PROXIES=1."
        )
    else:
        yield Finding(GOOD, f"hosts: {', '.join(public) or 'this machine only'}")


def _certificates() -> Iterator[Finding]:
    yield from _certificate_file()
    for host in _public_hosts() if config.current().trusted_proxies else ():
        name, _, port = host.removeprefix(".").partition(":")
        yield _certificate(name, int(port) if port.isdecimal() else 443)


def _certificate_file() -> Iterator[Finding]:
    """When the certificate ends that nginx is given."""
    what = f"certificate in {certificate_file.FILE}"
    try:
        ends = certificate_file.ends()
    except PermissionError:
        yield Finding(WARNING, f"{what}: not to be read by this account", "Run: chmod a+rX ssl ssl/fullchain.pem")
        return
    except (OSError, ValueError) as error:
        yield Finding(BAD, f"{what}: cannot be read ({error})", "Put the chain there, in PEM.")
        return
    if ends is not None:
        yield _days_left(what, ends)


def _certificate(host: str, port: int, trusting: ssl.SSLContext | None = None) -> Finding:
    """When the certificate ends that people are shown."""
    context = trusting or ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), PATIENCE_SECONDS) as line,
            context.wrap_socket(line, server_hostname=host) as spoken,
        ):
            ends = ssl.cert_time_to_seconds(str((spoken.getpeercert() or {})["notAfter"]))
    except ssl.SSLError as error:
        return Finding(BAD, f"certificate of {host}: {error.reason}", "Renew or mend it: browsers refuse it.")
    except OSError as error:
        return Finding(WARNING, f"certificate of {host}: not to be reached from here ({error})", "Look from elsewhere.")
    return _days_left(f"certificate of {host}", ends)


def _days_left(what: str, ends: float) -> Finding:
    days = int((ends - time.time()) // 86400)
    if days < 0:
        return Finding(BAD, f"{what}: ended {counted(-days, 'day')} ago", "Renew it: browsers refuse it.")
    if days < CERTIFICATE_DAYS:
        return Finding(WARNING, f"{what}: {counted(days, 'day')} left", "See why it is not renewed by itself.")
    return Finding(GOOD, f"{what}: {counted(days, 'day')} left")


def _public_hosts() -> list[str]:
    return [host for host in config.current().allowed_hosts if host not in Config.allowed_hosts]
