"""What administrators see and set of how often may be asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading
from flask_app.errors import Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, Group
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import rates, stored_settings
from flask_app.services.site.rates import Rates
from flask_app.services.site.windows import Rate

_UNITS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}


@dataclass(frozen=True, slots=True)
class OfGroup:
    group: Group
    rates: Rates


@dataclass(frozen=True, slots=True)
class Listed:
    """`usual` has every kind; `site` and each group those that they set themselves."""

    usual: Rates
    site: Rates
    groups: list[OfGroup]


def listed() -> Listed:
    """The default group first, then by name."""
    with reading() as session:
        groups = session.scalars(select(Group).order_by(Group.id != DEFAULT_GROUP_ID, Group.name_key))
        of_groups = [OfGroup(group, rates.read(group.rates)) for group in groups]
        return Listed(rates.usual(), rates.read(rates.stored_of_site(session)), of_groups)


def set_site(actor: Actor, wanted: Rates) -> None:
    """Set all kinds of the whole site; what is absent is as usual. Raises Invalid."""
    text = rates.written(_checked(wanted, rates.KINDS))

    def work(session: Session) -> None:
        found = stored_settings.locked(session, rates.NAME)
        stored_settings.keep(session, found, {rates.NAME: text})
        _record(session, actor, "site", {}, found.get(rates.NAME, rates.NOTHING), text)

    stored_settings.in_turn(work)


def set_group(actor: Actor, group_id: str, wanted: Rates) -> None:
    """Set all kinds of a group; what is absent is as for the site. Raises NotFound, Invalid."""
    text = rates.written(_checked(wanted, rates.OF_GROUPS))

    def work(session: Session) -> None:
        group = session.get(Group, group_id, with_for_update=True)
        if group is None:
            raise NotFound
        before, group.rates = group.rates, text
        _record(session, actor, group.id, {"name": group.name}, before, text)

    in_transaction(work)


def _record(
    session: Session, actor: Actor, target: str, details: Mapping[str, object], before: str, after: str
) -> None:
    shown = [{kind: _shown(rates.read(text), kind) for kind in rates.KINDS} for text in (before, after)]
    if difference := audit_service.difference(*shown):
        audit_service.record(session, actor.user, "rates.change", target, {**details, **difference}, actor.address)


def _shown(of: Rates, kind: str) -> str | None:
    return in_words(of[kind]) if kind in of else None


def in_words(rate: Rate | None) -> str:
    """As `Rate.parse` reads it, or "none"."""
    if rate is None:
        return "none"
    return f"{rate.amount} per {_UNITS.get(rate.seconds, f'{rate.seconds} seconds')}"


def _checked(wanted: Rates, kinds: tuple[str, ...]) -> Rates:
    if not wanted.keys() <= set(kinds):
        raise Invalid("unknown_rate")
    for each in wanted.values():
        if each is None:
            continue
        if not (0 < each.amount <= rates.MAX_AMOUNT and 0 < each.seconds <= rates.MAX_SECONDS):
            raise Invalid("bad_rate", amount=rates.MAX_AMOUNT)
    return wanted
