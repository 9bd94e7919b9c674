"""What nobody misses until it is needed: mail that goes out, a backup, a whole roll-up, holidays that are known."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from flask_app import config
from flask_app.database import fetching
from flask_app.errors import DeliveryError
from flask_app.i18n import translate
from flask_app.services.audit import audit_service
from flask_app.services.ledger.rollup import DETAIL, DETAIL_DAY, SLICES, rollup
from flask_app.services.operations.finding import BAD, GOOD, WARNING, Finding, counted
from flask_app.services.tariffs import holiday_doubts, tariff_list_service
from flask_app.services.warnings import mail_service

# Those that it takes seconds to count were there from the first version on.
_SLICES = tuple(each.name for each in SLICES if each not in {DETAIL, DETAIL_DAY})
_COUNTED = (
    select(rollup.c.slice, func.sum(rollup.c.requests + rollup.c.refunds))
    .where(rollup.c.slice.in_(_SLICES))
    .group_by(rollup.c.slice)
)
OLD_BACKUP = timedelta(days=3)  # as monitoring/alerts.yml


def mail() -> Iterator[Finding]:
    """Does the server take us? Nothing is sent."""
    mail = config.current().mail
    if mail is None:
        return
    try:
        mail_service.sign_in()
    except DeliveryError as error:
        words = translate("en", f"error.{error.code}")
        detail = f" ({error.detail})" if error.detail else ""
        yield Finding(BAD, f"mail: {mail.host}: {words}{detail}", "Look at the SMTP_… settings; no warning is mailed.")
    else:
        yield Finding(GOOD, f"mail: {mail.host} takes us; flask mail test ADDRESS sends one")


def last_backup() -> Iterator[Finding]:
    """How old is it? Nothing is said where the database is away, which is told already."""
    advice = "Run flask backup each night: docs/operations.md has a line for cron."
    try:
        with fetching() as connection:
            made = audit_service.latest(connection, "backup.make")
    except DBAPIError:
        return
    if made is None:
        yield Finding(WARNING, "backup: there never was one", advice)
        return
    age = datetime.now(UTC) - made
    what = f"backup: the last one is {counted(age.days, 'day')} and {counted(age.seconds // 3600, 'hour')} old"
    yield Finding(WARNING, what, advice) if age > OLD_BACKUP else Finding(GOOD, what)


def whole_rollup() -> Iterator[Finding]:
    """Has each slice the same entries? An older version settles without those that it does not know."""
    try:
        with fetching() as connection:
            found = {name: int(total) for name, total in connection.execute(_COUNTED)}
    except DBAPIError:
        return
    entries = [found.get(name, 0) for name in _SLICES]
    if missing := max(entries) - min(entries):
        what = f"statistics: {counted(missing, 'entry', 'entries')} missing in some of them"
        yield Finding(WARNING, what, "Run: flask usage rebuild")
    else:
        yield Finding(GOOD, f"statistics: {counted(entries[0], 'entry', 'entries')}, in all of them")


def known_holidays() -> Iterator[Finding]:
    """From which year on are those not sure that prices go by? A warning once it is near."""
    now = datetime.now(UTC)
    try:
        doubts = holiday_doubts.of(tariff_list_service.listed(now), now)
    except DBAPIError:
        return
    advice = "Update MingChat once that year's are published, or enter its days in the prices (Admin, Prices)."
    for doubt in doubts:
        how = "not confirmed" if doubt.known else "not known"
        what = f"holidays of {doubt.country}: {how} from {doubt.year} on"
        yield Finding(WARNING, what, advice) if doubt.soon else Finding(GOOD, what)
