"""Balances against the ledger as JSON. All amounts are millionths of the row's currency."""

import json
from datetime import date, datetime
from typing import Annotated, Literal, cast

import msgspec

from flask_app.services.reconciliation.drift_threshold import MAX_ABSOLUTE, MAX_PERMILLE
from flask_app.services.reconciliation.reconciliation_admin_service import Listed, Page
from flask_app.services.reconciliation.reconciliation_clues import Clue, Item
from flask_app.web.bodies import Body, Reply, Words

State = Literal["drift", "known", "partial", "even"]


class Acknowledgement(Body):
    """What is known of the drift."""

    note: Words


class ThresholdBody(Body):
    """The greater of both may differ: `absolute` in millionths of the account's currency, `permille` of what was
    booked."""

    absolute: Annotated[int, msgspec.Meta(ge=0, le=MAX_ABSOLUTE)]
    permille: Annotated[int, msgspec.Meta(ge=0, le=MAX_PERMILLE)]


class ThresholdReply(Reply):
    """How much may differ before it is an alarm: the greater of both."""

    absolute: int
    permille: int


class ShareReply(Reply):
    """What was booked on a key of the account."""

    key_id: str
    label: str
    micros: int


class DayReply(Reply):
    """A day of an account from the reading at `since` to the one at `until`: start - end = booked + drift + all of
    `aside`.

    `aside` are differences that are no drift, by their reason: credited (a top-up or a grant; negative), expired (a
    grant), gap (a reading is missing), keys_changed, currency_changed, other_currency. `slack` was booked so shortly
    before a reading that the provider may have taken it after. `state` is drift where an alarm stands, known where it
    was acknowledged, partial where something was set aside, even otherwise.
    """

    id: str
    day: date
    account: str
    provider: str
    currency: str
    since: datetime
    until: datetime
    readings: int
    start: int
    end: int
    booked: int
    aside: dict[str, int]
    drift: int
    slack: int
    state: State
    keys: list[ShareReply]
    note: str | None
    known_by: str | None
    known_at: datetime | None


class UnreadReply(Reply):
    """An account of which a reading is missing: its balance was last told at `since`."""

    account: str
    provider: str
    since: datetime


class DaysReply(Reply):
    """The days from `first` to `last` of the site's time zone, the newest first; before them every standing alarm."""

    first: date
    last: date
    timezone: str
    threshold: ThresholdReply
    unread: list[UnreadReply]
    days: list[DayReply]


class ItemReply(Reply):
    """A record, or an attempt that has none: then `micros` is the most that it may cost. Of a price, its start."""

    id: str
    at: datetime
    model: str
    key_id: str | None
    user_id: str | None
    username: str | None
    micros: int | None
    currency: str | None


class ClueReply(Reply):
    """How many records or attempts of a kind there are, what they cost in the account's currency, the dearest of them.

    `kind` is unbooked (an attempt that ended without a record), released (an attempt that costs nothing here), open,
    unpriced, partial and estimated (the provider did not tell), peak_edge, price_change or refunded.
    """

    kind: str
    count: int
    micros: int
    items: list[ItemReply]


class CluesReply(Reply):
    """What could explain the day's drift, what is worth the first look first."""

    day: DayReply
    clues: list[ClueReply]


def days_reply(page: Page) -> DaysReply:
    threshold = ThresholdReply(absolute=page.threshold.absolute, permille=page.threshold.permille)
    return DaysReply(
        first=page.days.first,
        last=page.days.last,
        timezone=page.timezone,
        threshold=threshold,
        unread=[UnreadReply(account=u.account, provider=u.provider, since=u.since) for u in page.unread],
        days=[day_reply(each) for each in page.listed],
    )


def day_reply(listed: Listed) -> DayReply:
    row = listed.row
    return DayReply(
        id=row.id,
        day=row.day,
        account=listed.account,
        provider=listed.provider,
        currency=row.currency,
        since=row.since,
        until=row.until,
        readings=row.readings,
        start=row.start_total,
        end=row.end_total,
        booked=row.booked,
        aside=json.loads(row.aside),
        drift=row.drift,
        slack=row.slack,
        state=cast("State", listed.state),
        keys=[ShareReply(key_id=each.key_id, label=each.label, micros=each.micros) for each in listed.shares],
        note=row.note,
        known_by=listed.known_by,
        known_at=row.known_at,
    )


def clues_reply(listed: Listed, clues: list[Clue]) -> CluesReply:
    return CluesReply(day=day_reply(listed), clues=[_clue(each) for each in clues])


def _clue(clue: Clue) -> ClueReply:
    return ClueReply(kind=clue.kind, count=clue.count, micros=clue.micros, items=[_item(each) for each in clue.items])


def _item(item: Item) -> ItemReply:
    return ItemReply(
        id=item.id,
        at=item.at,
        model=item.model,
        key_id=item.key_id,
        user_id=item.user_id,
        username=item.username,
        micros=item.micros,
        currency=item.currency,
    )
