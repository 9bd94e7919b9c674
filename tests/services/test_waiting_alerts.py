"""Administrators are told who waits to be let in: of everybody once, and of a crowd together."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from flask_app.database import transaction, utc_now
from flask_app.models import Notice, Registration, User
from flask_app.services.people import registration_admin_service, registration_service
from flask_app.services.warnings import delivery_service, notice_words, waiting_alerts
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support.mail_server import MailServer
from tests.support.warned import NOBODY, change, made, notices, use_mail, use_webhook

QueryCount = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def root(make_user: MakeUser) -> User:
    use_mail()
    return make_user("root", "admin", email="root@example.com", locale="en")


def waits(username: str) -> Registration:
    """Somebody who has confirmed an address."""
    now = utc_now()
    times = {"created_at": now, "confirmed_at": now, "expires_at": now + registration_service.TO_APPROVE}
    row = Registration(username=username, password_hash="x", email="new@example.com", address="192.0.2.1", **times)
    with transaction() as session:
        session.add(row)
    return row


def an_hour_goes_by() -> None:
    """As far as the notices know."""
    for notice in notices():
        change(Notice, notice.id, created_at=notice.created_at - waiting_alerts.PAUSE - timedelta(seconds=1))


def names_of(notice: Notice) -> list[str]:
    told: list[str] = json.loads(notice.facts)["names"]
    return told


def test_an_administrator_is_told_once_of_who_waits(root: User, make_user: MakeUser) -> None:
    make_user("ada", email="ada@example.com")
    use_webhook()
    look()
    assert made() == []
    waits("newcomer")
    for _ in range(3):
        look()
        an_hour_goes_by()
    assert made() == [("waiting", 100, "email", root.id), ("waiting", 100, "webhook", "")]
    assert {tuple(names_of(notice)) for notice in notices()} == {("newcomer",)}


def test_who_comes_within_the_hour_is_told_of_together_after_it(root: User) -> None:
    waits("first")
    look()
    for number in range(3):
        waits(f"later {number}")
        look()
    assert len(notices()) == 1
    an_hour_goes_by()
    look()
    look()
    _, second = notices()
    assert names_of(second) == ["later 2", "later 1", "later 0"], "the first was told of before"
    assert json.loads(second.facts)["waiting"] == 4


def test_a_crowd_is_one_notice_with_a_few_names(root: User, query_count: QueryCount) -> None:
    waits("person 0")
    with query_count() as few:
        waiting = registration_admin_service.count_waiting()
    for number in range(1, 15):
        waits(f"person {number}")
    with query_count() as many:
        assert registration_admin_service.count_waiting() == waiting + 14
    assert len(many) == len(few) == 1
    look()
    (notice,) = notices()
    assert len(names_of(notice)) == waiting_alerts.MOST_NAMES


def test_who_was_let_in_or_refused_or_is_too_late_is_nobody_to_tell_of(root: User) -> None:
    accepted, refused, late = (waits(name) for name in ("accepted", "refused", "late"))
    registration_admin_service.accept(NOBODY, accepted.id)
    registration_admin_service.refuse(NOBODY, refused.id)
    look(utc_now() + timedelta(days=31))
    assert notices() == [], f"{late.username} has waited for more than thirty days"


def test_whoever_is_no_administrator_any_more_is_not_told(root: User) -> None:
    waits("newcomer")
    look()
    change(User, root.id, role="member")
    with MailServer() as server:
        use_mail(server.port)
        delivery_service.deliver_due()
    assert server.mails == []
    assert [notice.state for notice in notices()] == ["dropped"]


def test_the_mail_names_them_and_says_where(root: User) -> None:
    with MailServer() as server:
        use_mail(server.port)
        waits("newcomer")
        look()
        delivery_service.deliver_due()
    (mail,) = server.mails
    assert mail.message["Subject"] == "People who wait to be let in: 1"
    assert "They asked for an account: newcomer." in mail.text
    assert "“Admin”, “People”" in mail.text


@pytest.mark.parametrize("locale", ["en", "zh", "zh-Hant", "ja"])
def test_the_webhook_is_told_in_words_and_in_fields(root: User, locale: str) -> None:
    use_webhook(locale=locale)
    waits("newcomer")
    look()
    (notice,) = [each for each in notices() if each.channel == "webhook"]
    payload = notice_words.payload(notice, json.loads(notice.facts), locale)  # type: ignore[arg-type]
    assert payload["type"] == "registration.waiting"
    assert payload["data"] == {"names": ["newcomer"], "waiting": 1}
    assert "1" in payload["text"]


def test_once_the_latest_has_gone_nobody_is_told_of_who_was_told_of_before(root: User) -> None:
    rows = [waits(name) for name in ("one", "two", "three")]
    look()
    an_hour_goes_by()
    for row in reversed(rows[1:]):
        registration_admin_service.refuse(NOBODY, row.id)
        look()
        an_hour_goes_by()
        look()
    assert len(notices()) == 1
    waits("four")
    look()
    _, second = notices()
    assert names_of(second) == ["four"]
    assert json.loads(second.facts)["waiting"] == 2
