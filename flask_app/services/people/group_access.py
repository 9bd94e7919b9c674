"""What the people of a group may use, and when: access by tokens, sharing by links, and hours.

It stands in the group's row and comes with each request's own statement, so that a change holds from the next request
on, in every process. An answer that is being made when the hours end is made to its end.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import in_transaction
from flask_app.domain import hours as clocks
from flask_app.domain.hours import Hours
from flask_app.errors import Forbidden, Invalid, NotFound, OutsideHours
from flask_app.models import Group
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import supervision_service

NOTHING = "{}"


@dataclass(frozen=True, slots=True)
class Access:
    """`api`: may tokens be made and used? `sharing`: may conversations be shared, where the site allows it?

    `hours` None is always.
    """

    api: bool = True
    hours: Hours | None = None
    sharing: bool = True


ANYHOW = Access()


@lru_cache(maxsize=1024)
def read(text: str) -> Access:
    """What stands in a group's row."""
    stored = json.loads(text)
    hours = stored.get("hours")
    clocked = Hours(frozenset(hours[0]), hours[1], hours[2]) if hours else None
    return Access(stored.get("api", True), clocked, stored.get("sharing", True))


def written(access: Access) -> str:
    stored: dict[str, object] = {} if access.api else {"api": False}
    if not access.sharing:
        stored["sharing"] = False
    if hours := access.hours:
        stored["hours"] = [sorted(hours.days), hours.start, hours.end]
    return json.dumps(stored)


def require_open(stored: str, now: datetime) -> None:
    """Raises OutsideHours, with the moment at which they open again."""
    hours = read(stored).hours
    zone = ZoneInfo(config.current().site_timezone)
    if hours and not clocks.are_open(hours, now, zone):
        raise OutsideHours(opens_at=clocks.opening(hours, now, zone))


def require_api(stored: str) -> None:
    """Raises Forbidden("api_not_allowed")."""
    if not read(stored).api:
        raise Forbidden("api_not_allowed")


def put(actor: Actor, group_id: str, wanted: Access, *, supervised: bool | None = None) -> Access:
    """Set all of it for a group, and whether it is supervised; None leaves that as it is.

    Raises NotFound, Invalid("bad_group_hours").
    """
    if wanted.hours and not wanted.hours.make_sense():
        raise Invalid("bad_group_hours")

    def work(session: Session) -> Access:
        group = session.get(Group, group_id, with_for_update=True)
        if group is None:
            raise NotFound
        before, group.access = read(group.access), written(wanted)
        if difference := audit_service.difference(told(before), told(wanted)):
            details = {"name": group.name, **difference}
            audit_service.record(session, actor.user, "group.access", group.id, details, actor.address)
        if supervised is not None:
            supervision_service.set_switch(session, actor, group, on=supervised)
        return wanted

    return in_transaction(work)


def told(access: Access) -> dict[str, object]:
    """What the audit log says of it."""
    hours = access.hours
    shown = hours and f"{_days(hours)} {clocks.clock(hours.start)}-{clocks.clock(hours.end)}"
    return {"api": access.api, "sharing": access.sharing, "hours": shown}


def _days(hours: Hours) -> str:
    return ",".join(str(day + 1) for day in sorted(hours.days))
