"""Notices on their way: sent once by one process of all, tried again, given up, and never lost."""

import dataclasses
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from flask_app import config
from flask_app.database import utc_now
from flask_app.models import DEFAULT_GROUP_ID, Notice, User
from flask_app.services.warnings import notice_service, webhook_service
from flask_app.services.warnings.delivery_service import deliver_due
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support import ports
from tests.support.keys import keep_key, keep_provider
from tests.support.mail_server import MailServer
from tests.support.together import at_once
from tests.support.warned import NOBODY, change, limit, notices, use, use_mail, use_webhook
from tests.support.webhook_receiver import Receiver


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def ada(make_user: MakeUser, server: MailServer) -> User:
    use_mail(server.port)
    return make_user("ada", email="ada@example.com", locale="en", timezone="Europe/Berlin")


def warned(person: User, tokens: int = 8_500, **terms: Any) -> None:
    """The person has used so much of 10,000, and a notice of it is made."""
    limit("user", person.id, **terms)
    use(person, tokens)
    look()


def state() -> list[tuple[str, int, str | None]]:
    return [(each.state, each.tries, each.error_code) for each in notices()]


def is_due() -> None:
    """As if the pause, or the lease, had passed."""
    for notice in notices():
        change(Notice, notice.id, due_at=utc_now() - timedelta(minutes=1))


def test_a_person_reads_what_is_left_and_when_it_renews(ada: User, server: MailServer) -> None:
    warned(ada, 8_500, period="month")
    deliver_due()
    deliver_due()
    (mail,) = server.mails
    assert mail.recipients == ["ada@example.com"]
    assert mail.message["Subject"] == "Your monthly budget: 85% used"
    head, _, *lines = mail.text.splitlines()
    assert head == mail.message["Subject"]
    assert lines[0] == "8,500 tokens of 10,000 tokens used, 1,500 tokens left."
    assert lines[1].startswith("It renews on ")
    assert "Asia/Shanghai" not in lines[1], "in the person's own time zone"
    assert "once" in lines[-1]
    (notice,) = notices()
    assert (notice.state, notice.tries, mail.message["Message-ID"]) == ("sent", 1, f"<{notice.id}@example.org>")


@pytest.mark.parametrize(
    ("locale", "terms", "tokens", "subject", "words"),
    [
        ("en", {}, 10_000, "Your daily budget is used up", "new messages are refused"),
        ("en", {"hard": False}, 10_000, "Your daily budget is used up", "It only warns"),
        ("zh", {}, 10_000, "你的每日额度已用完", "新消息会被拒绝"),
        ("zh-Hant", {}, 10_000, "你的每日額度已用完", "新訊息會被拒絕"),
        ("ja", {}, 8_000, "あなたの 1 日の利用枠の 80% を使いました", "10,000 トークンのうち 8,000 トークンを使用"),
        (None, {}, 8_000, "你的每日额度已用 80%", "（Asia/Shanghai）。"),
        ("tlh", {}, 8_000, "你的每日额度已用 80%", "（Asia/Shanghai）。"),
        ("en", {"period": "prepaid", "reason": "paid"}, 9_000, "Your balance: 90% used", "1,000 tokens left"),
    ],
)
def test_it_is_said_in_the_persons_language(
    make_user: MakeUser, server: MailServer, locale: str, terms: dict[str, Any], tokens: int, subject: str, words: str
) -> None:
    use_mail(server.port)
    warned(make_user("bob", email="bob@example.com", locale=locale), tokens, **terms)
    deliver_due()
    assert server.last.message["Subject"] == subject
    assert words in server.last.text


def test_whoever_has_chosen_no_language_reads_the_one_that_they_last_saw(
    make_user: MakeUser, server: MailServer
) -> None:
    use_mail(server.port)
    warned(make_user("bob", email="bob@example.com", locale=None, seen_locale="en"), 10_000)
    deliver_due()
    assert server.last.message["Subject"] == "Your daily budget is used up"


def test_administrators_read_whose_budget_and_which_account(make_user: MakeUser, server: MailServer) -> None:
    use_mail(server.port)
    root = make_user("root", "admin", email="root@example.com", locale="en")
    limit("group", DEFAULT_GROUP_ID, unit="CNY", amount=1_000_000)
    use(root, 1, cost_micros=900_000)
    keep_key(keep_provider("Elsewhere", "https://e.example"), "a", account="ours", bench_code="upstream_no_balance")
    look()
    deliver_due()
    subjects = sorted(str(mail.message["Subject"]) for mail in server.mails)
    assert subjects == [
        "Group “Everyone” together: 1 CNY a day, 90% used",
        "No balance left at a provider: Elsewhere (ours)",
    ]
    assert any("0.9 CNY of 1 CNY used, 0.1 CNY left." in mail.text for mail in server.mails)


def test_the_webhook_gets_a_signed_message_that_machines_and_people_read(
    make_user: MakeUser, receiver: Receiver
) -> None:
    secret = use_webhook(receiver.url, "en")
    bob = make_user("bob")
    warned(bob, 9_000)
    deliver_due()
    deliver_due()
    (call,) = receiver.calls
    (notice,) = notices()
    assert call.path == "/hooks/mingchat?token=abc"
    assert call.headers["content-type"] == "application/json"
    assert call.is_signed_with(secret)
    assert not call.is_signed_with("whsec_" + "A" * 43 + "=")
    assert call.headers["webhook-id"] == notice.id
    assert abs(int(call.headers["webhook-timestamp"]) - time.time()) < 60
    assert {name: call.content[name] for name in ("type", "text")} == {
        "type": "budget.nearly_used",
        "text": "bob: 10,000 tokens a day, 90% used",
    }
    named = {"id": notice.subject_id, "scope": "user", "person_id": bob.id, "name": "bob", "unit": "tokens"}
    sums = {"period": "day", "hard": True, "limit": 10_000, "full": 10_000, "used": 9_000}
    assert call.content["data"] == call.content["data"] | named | sums
    assert notice.state == "sent"


@pytest.mark.parametrize(
    ("status", "location"), [(500, ""), (404, ""), (301, "/elsewhere"), (307, "/elsewhere"), (304, "")]
)
def test_a_webhook_that_does_not_take_it_is_asked_again(
    make_user: MakeUser, receiver: Receiver, status: int, location: str
) -> None:
    use_webhook(receiver.url)
    receiver.statuses, receiver.location = [status], location
    warned(make_user("bob"))
    deliver_due()
    assert len(receiver.calls) == 1, "redirects are not followed"
    assert state() == [("waiting", 1, "webhook_refused")]
    assert notices()[0].error_detail == f"HTTP {status}"
    is_due()
    deliver_due()
    assert state() == [("sent", 2, None)]
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1


def test_pauses_grow_and_after_a_day_it_is_given_up(ada: User, server: MailServer) -> None:
    warned(ada)
    pauses = []
    for _ in range(4):
        server.refusals = ["450 try later"]
        is_due()
        deliver_due()
        pauses.append((notices()[0].due_at - utc_now()).total_seconds())
    assert [round(pause / 60 - 0.2) for pause in pauses] == pytest.approx([1, 2, 4, 8], rel=0.3)
    deliver_due()
    assert len(server.mails) == 0, "not before its time"
    server.refusals = ["450 try later"]
    is_due()
    change(Notice, notices()[0].id, created_at=utc_now() - notice_service.GIVE_UP - timedelta(seconds=1))
    deliver_due()
    assert state() == [("failed", 5, "mail_recipient_refused")]
    assert notices()[0].error_detail == "450 try later"
    is_due()
    deliver_due()
    assert server.mails == []


def test_a_recipient_that_does_not_exist_is_given_up_at_once_and_keeps_nobody_waiting(
    ada: User, make_user: MakeUser, server: MailServer
) -> None:
    warned(ada)
    warned(make_user("bob", email="bob@example.com"))
    server.refusals = ["550 no such user"]
    deliver_due()
    assert Counter(name for name, _, _ in state()) == {"failed": 1, "sent": 1}


def test_a_server_that_is_away_is_asked_once_a_round(ada: User, make_user: MakeUser, server: MailServer) -> None:
    for number in range(3):
        warned(make_user(f"person {number}", email=f"p{number}@example.com"))
    use_mail(ports.free_port())
    deliver_due()
    assert sum(tries for _, tries, _ in state()) == 1
    use_mail(server.port)
    is_due()
    deliver_due()
    assert len(server.mails) == 3


@pytest.mark.parametrize(
    "fields", [{"disabled": True}, {"email": None}, {"warn_by_email": False}, {"email": "kept@by.an.older.local"}]
)
def test_who_is_not_to_be_told_any_more_is_not(ada: User, server: MailServer, fields: dict[str, Any]) -> None:
    warned(ada)
    change(User, ada.id, **fields)
    deliver_due()
    assert server.mails == []
    assert state()[0][0] == ("failed" if fields.get("email") else "dropped")


def test_who_is_no_administrator_any_more_hears_nothing_of_the_site(make_user: MakeUser, server: MailServer) -> None:
    use_mail(server.port)
    root = make_user("root", "admin", email="root@example.com")
    limit()
    use(root, 9_000)
    look()
    change(User, root.id, role="member")
    deliver_due()
    assert (server.mails, state()) == ([], [("dropped", 1, None)])


def test_why_a_webhook_cannot_be_asked_is_noted(make_user: MakeUser, receiver: Receiver) -> None:
    use_webhook(receiver.url)
    warned(make_user("bob"))
    settings = config.current()
    for changed, code in (
        ({"allow_insecure_upstreams": False}, "webhook_private"),
        ({"encryption_key": "another key that only this test knows, as long"}, "webhook_unreadable"),
    ):
        config.install(dataclasses.replace(settings, **changed))
        is_due()
        deliver_due()
        assert state()[0][2] == code
    config.install(settings)
    webhook_service.remove(NOBODY)
    is_due()
    deliver_due()
    assert state() == [("waiting", 3, "no_webhook")]
    assert receiver.calls == []


def test_threads_that_send_at_once_send_each_once(ada: User, make_user: MakeUser, server: MailServer) -> None:
    for number in range(10):
        warned(make_user(f"person {number}", email=f"p{number}@example.com"))
    outcomes = at_once(4, lambda _: deliver_due())
    assert [outcome for outcome in outcomes if outcome is not None] == []
    assert Counter(mail.recipients[0] for mail in server.mails) == {f"p{number}@example.com": 1 for number in range(10)}
    assert {name for name, _, _ in state()} == {"sent"}


def test_who_lost_the_lease_changes_nothing(ada: User, server: MailServer) -> None:
    warned(ada)
    slow = notice_service.claim("email")
    assert slow is not None
    is_due()
    deliver_due()
    notice_service.note_dropped(slow)
    assert state() == [("sent", 2, None)]
