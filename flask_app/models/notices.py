"""What people are told by e-mail and webhook."""

from datetime import datetime

from sqlalchemy import Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key


class Notice(Base):
    """One warning to one recipient over one channel, made once: the unique key says what "once" means.

    `kind` is "budget", "account" (at a provider), "drift" (a day of an account), "device" (a new browser), "address"
    (of mail, confirmed and given up) or "waiting" (people who asked for an account), and `subject_id` which of them,
    `person_id` whose use it is where a budget is each person's. `armed` changes when the same may be told again:
    another period or limit of a budget; "open" while an account is low, the notice's own id once that is over; when a
    drift was acknowledged, "new" before; since when the latest of those who wait does; anew for each address. `share`
    is 80 or 100 percent used.
    `channel` is "email", to the person `recipient_id`, or "webhook". `facts` (JSON) are those of the moment.

    `state`: "waiting", "sent", "failed", or "dropped" where there is nobody left to tell. What waits is due at
    `due_at`, by the database's clock; whoever sends it moves that on first, which is the lease. `tries` counts leases.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint(
            *("subject_id", "kind", "person_id", "armed", "share", "channel", "recipient_id"), name="uq_notices_once"
        ),
        Index(None, "state", "channel", "due_at"),
    )

    id: Mapped[str] = key()
    kind: Mapped[str] = mapped_column(Ascii)
    subject_id: Mapped[str] = mapped_column(Ascii)
    person_id: Mapped[str] = mapped_column(Ascii)
    armed: Mapped[str] = mapped_column(Ascii)
    share: Mapped[int] = mapped_column(SmallInteger)
    channel: Mapped[str] = mapped_column(Ascii)
    recipient_id: Mapped[str] = mapped_column(Ascii)
    facts: Mapped[str] = mapped_column(LongText)
    state: Mapped[str] = mapped_column(Ascii, default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_detail: Mapped[str | None] = mapped_column(String(200))
