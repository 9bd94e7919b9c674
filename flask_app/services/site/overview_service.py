"""The site at a glance, for administrators."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import ApiKey, User
from flask_app.services.people import registration_admin_service
from flask_app.services.providers import key_service, model_service
from flask_app.services.reconciliation import reconciliation_admin_service
from flask_app.services.sign_in import presence
from flask_app.services.usage import stats_service
from flask_app.services.usage.stats_service import Summary


@dataclass(frozen=True, slots=True)
class Overview:
    """`users` are the people who may sign in, `keys` those that can be asked.

    `waiting` are the people whom an administrator may let in. `drifts` are the days on which a balance and the ledger
    differ, and nobody has acknowledged it. `demo`: only the local model answers; `keys_fail`: there are keys, and none
    opens a model.
    """

    users: int
    online: int
    keys: int
    waiting: int
    drifts: int
    demo: bool
    keys_fail: bool
    use: Summary


def overview(reader: User, now: datetime) -> Overview:
    """People, keys and use now; days are those of `reader`'s time zone."""
    models = model_service.available()
    with reading() as session:
        users = session.scalar(select(func.count()).select_from(User).where(User.disabled.is_(False)))
        online = presence.count(session)
        keys = session.scalar(select(func.count()).select_from(ApiKey).where(key_service.usable()))
    return Overview(
        users=users or 0,
        online=online,
        keys=keys or 0,
        waiting=registration_admin_service.count_waiting(),
        drifts=reconciliation_admin_service.count_standing(),
        demo=any(model.demo for model in models),
        keys_fail=model_service.keys_fail(models),
        use=stats_service.site_summary(reader, now),
    )
