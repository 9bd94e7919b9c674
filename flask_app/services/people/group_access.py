"""What the people of a group may use, and when: access by tokens, sharing by links, searching the web, models, hours.

It stands in the group's row and comes with each request's own statement, so that a change holds from the next request
on, in every process. Sharing, searching and models have columns of their own: what writes `access` without knowing of
them, such as a version before this one, leaves them as they are. An answer that is being made when the hours end is
made to its end.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TypedDict, Unpack
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
from flask_app.services.people import group_models, supervision_service
from flask_app.services.people.group_models import Choice

NOTHING = "{}"


@dataclass(frozen=True, slots=True)
class Access:
    """`api`: may tokens be made and used? `hours` None is always."""

    api: bool = True
    hours: Hours | None = None


ANYHOW = Access()


class Changes(TypedDict, total=False):
    """What may be changed; what is not named stays. `sharing`: may they share, where the site allows it? `models`:
    which may they ask? `web_search`: may questions of theirs be looked up on the web, where the site allows it?
    `supervised`: may their managers read what they write?
    """

    api: bool
    hours: Hours | None
    sharing: bool
    models: Choice
    web_search: bool
    supervised: bool


@lru_cache(maxsize=1024)
def read(text: str) -> Access:
    """What stands in a group's row."""
    stored = json.loads(text)
    hours = stored.get("hours")
    return Access(stored.get("api", True), Hours(frozenset(hours[0]), hours[1], hours[2]) if hours else None)


def written(access: Access) -> str:
    stored: dict[str, object] = {} if access.api else {"api": False}
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


def put(actor: Actor, group_id: str, **wanted: Unpack[Changes]) -> Group:
    """Set it for a group, all that is named or nothing.

    Raises NotFound, Invalid("bad_group_hours"), and Invalid as `group_models.written` does.
    """
    if (hours := wanted.get("hours")) and not hours.make_sense():
        raise Invalid("bad_group_hours")

    def work(session: Session) -> Group:
        group = session.get(Group, group_id, with_for_update=True)
        if group is None:
            raise NotFound
        before, now = told(group), read(group.access)
        now = replace(now, api=wanted.get("api", now.api), hours=wanted.get("hours", now.hours))
        group.access, group.sharing = written(now), wanted.get("sharing", group.sharing)
        group.web_search = wanted.get("web_search", group.web_search)
        if "models" in wanted:
            group.models = group_models.written(session, wanted["models"], group.models)
        if difference := audit_service.difference(before, told(group)):
            details = {"name": group.name, **difference}
            audit_service.record(session, actor.user, "group.access", group.id, details, actor.address)
        if "supervised" in wanted:
            supervision_service.set_switch(session, actor, group, on=wanted["supervised"])
        return group

    return in_transaction(work)


def told(group: Group) -> dict[str, object]:
    """What the audit log says of it."""
    access = read(group.access)
    hours = access.hours
    shown = hours and f"{_days(hours)} {clocks.clock(hours.start)}-{clocks.clock(hours.end)}"
    models = group_models.names(group.models)
    named = models and ", ".join(models)
    flags = {"api": access.api, "sharing": group.sharing, "web_search": group.web_search}
    return {**flags, "models": named, "hours": shown}


def _days(hours: Hours) -> str:
    return ",".join(str(day + 1) for day in sorted(hours.days))
