"""The site at a glance, for administrators."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, func, select, union_all

from flask_app.database import reading, table_of
from flask_app.domain import periods
from flask_app.models import ApiKey, Attempt, User
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.operations import system_service
from flask_app.services.operations.system_service import Check
from flask_app.services.people import registration_admin_service
from flask_app.services.providers import key_service, key_status_service, model_service
from flask_app.services.providers.key_status_service import KeyStatus
from flask_app.services.reconciliation import reconciliation_admin_service
from flask_app.services.sign_in import presence
from flask_app.services.usage import stats_service
from flask_app.services.usage.stats_service import Summary

LATEST = 1000  # requests to providers whose failures are counted

_attempts = table_of(Attempt)


@dataclass(frozen=True, slots=True)
class Overview:
    """`users` are the people who may sign in, `keys` those that can be asked.

    `waiting` are the people whom an administrator may let in. `drifts` are the days on which a balance and the ledger
    differ, and nobody has acknowledged it. `demo`: only the local model answers; `keys_fail`: there are keys, and none
    opens a model. `troubled` are keys that rest, or were refused and not accepted since. `attempts` are the requests to
    providers that ended and began today, of which `failed` ended with an error: of many the latest thousand. `budgets`
    are those of the whole site.
    """

    users: int
    online: int
    keys: int
    waiting: int
    drifts: int
    demo: bool
    keys_fail: bool
    troubled: list[KeyStatus]
    attempts: int
    failed: int
    budgets: list[Standing]
    schema: Check
    use: Summary


def overview(reader: User, now: datetime) -> Overview:
    """People, keys and use now; days are those of `reader`'s time zone."""
    models = model_service.available(with_vectors=True)
    with reading() as session:
        users = session.scalar(select(func.count()).select_from(User).where(User.disabled.is_(False)))
        online = presence.count(session)
        keys = session.scalar(select(func.count()).select_from(ApiKey).where(key_service.usable()))
        attempts, failed = session.execute(_ENDED, {"since": _midnight(reader, now)}).one()
    return Overview(
        users=users or 0,
        online=online,
        keys=keys or 0,
        waiting=registration_admin_service.count_waiting(),
        drifts=reconciliation_admin_service.count_standing(),
        demo=any(model.demo for model in models),
        keys_fail=model_service.keys_fail(models),
        troubled=key_status_service.troubled(),
        attempts=attempts,
        failed=failed,
        budgets=[each.standing for each in budget_admin_service.of_site(now)],
        schema=system_service.schema(),
        use=stats_service.site_summary(reader, now),
    )


def _midnight(reader: User, now: datetime) -> datetime:
    zone = stats_service.zone_of(reader)
    return periods.moment_of(periods.start_of(periods.local_day(now, zone), zone))


def _latest(state: str) -> Select[datetime, str | None]:
    when = _attempts.c.created_at
    found = select(when, _attempts.c.error_code).where(_attempts.c.state == state, when >= bindparam("since"))
    return found.order_by(when.desc()).limit(LATEST)


# How many of the latest, and how many of them failed: the ends of an index by state and time are read, no more.
_ended = union_all(*(select(_latest(state).subquery()) for state in ("settled", "released"))).subquery()
_failures = select(_ended.c.error_code).order_by(_ended.c.created_at.desc()).limit(LATEST).subquery()
_ENDED = select(func.count(), func.count(_failures.c.error_code))
