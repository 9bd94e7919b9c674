"""A difference between a balance and the ledger is told to administrators and the webhook, once each."""

from datetime import timedelta

import pytest

from flask_app.database import transaction, utc_now
from flask_app.models import Notice, Reconciliation, User
from flask_app.services.reconciliation import reconciliation_admin_service
from flask_app.services.warnings import notice_words
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support import drifts
from tests.support.keys import keep_key, keep_provider
from tests.support.warned import NOBODY, change, limit, made, notices, use, use_mail, use_webhook


@pytest.fixture
def root(make_user: MakeUser) -> User:
    use_mail()
    make_user("ada", email="ada@example.com")
    return make_user("root", "admin", email="root@example.com")


@pytest.fixture
def alarm(root: User) -> Reconciliation:
    keep_key(keep_provider("Elsewhere", "http://127.0.0.1:1"), "k")
    return drifts.kept("k")


def test_administrators_and_the_webhook_are_told_once(root: User, alarm: Reconciliation) -> None:
    use_webhook()
    drifts.kept("another", drift=0, stands=False)
    look()
    look()
    assert made() == [("drift", 100, "email", root.id), ("drift", 100, "webhook", "")]


def test_what_grew_after_it_was_acknowledged_is_told_again(root: User, alarm: Reconciliation) -> None:
    look()
    reconciliation_admin_service.acknowledge(NOBODY, alarm.id, "we know")
    look()
    assert len(notices()) == 1
    with transaction() as session:
        session.get_one(Reconciliation, alarm.id).stands = True
    look()
    look()
    assert len(notices()) == 2


def test_what_stands_is_told_once_however_long_and_what_was_acknowledged_is_forgotten(
    root: User, alarm: Reconciliation
) -> None:
    known = drifts.kept("another")
    look()
    reconciliation_admin_service.acknowledge(NOBODY, known.id, "we know")
    for notice in notices():
        change(Notice, notice.id, created_at=utc_now() - timedelta(days=101), state="sent")
    (told,) = [notice.id for notice in notices() if notice.subject_id == alarm.id]
    limit("user", root.id)
    use(root, 10_000)
    look()
    look()
    assert [notice.id for notice in notices() if notice.kind == "drift"] == [told]


def test_it_is_told_in_words_and_to_a_machine(root: User, alarm: Reconciliation) -> None:
    use_webhook()
    look()
    told = next(notice for notice in notices() if notice.channel == "webhook")
    facts = {"provider": "Elsewhere", "account": "k", "day": "2026-11-25", "currency": "CNY"}
    facts_with_sums = {**facts, "booked": 1_000_000, "drift": 500_000}
    payload = notice_words.payload(told, facts_with_sums, "en")  # type: ignore[arg-type]
    assert (payload["type"], payload["data"]) == ("account.drift", facts_with_sums)
    assert payload["text"] == "A provider's balance and the ledger differ: Elsewhere (k), 2026-11-25"
    root.locale = "en"
    letter = notice_words.letter("drift", 100, facts_with_sums, root)
    assert letter.subject == payload["text"]
    assert "The provider took 1.5 CNY, 1 CNY was booked: 0.5 CNY differ." in letter.text
