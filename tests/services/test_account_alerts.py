"""Accounts at the providers that run low or empty: told once, and again once they have been well."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading, utc_now
from flask_app.domain.balance import Balance, Sum
from flask_app.errors import Invalid
from flask_app.models import AuditEntry, Notice, User
from flask_app.services.operations import upkeep_service
from flask_app.services.providers import model_service
from flask_app.services.warnings import account_alerts, warning_admin_service
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support.keys import change_key, keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.warned import NOBODY, change, made, notices, use_mail, use_webhook

MICROS = 1_000_000


@pytest.fixture
def root(make_user: MakeUser) -> User:
    use_mail()
    return make_user("root", "admin", email="root@example.com")


@pytest.fixture
def provider_id(root: User) -> str:
    return keep_provider("Elsewhere", "https://elsewhere.example/v1")


def told(*shares: int, root: User) -> list[tuple[str, int, str, str]]:
    return [("account", share, "email", root.id) for share in sorted(shares)]


def left(amount: int, currency: str = "CNY", *, available: bool = True) -> dict[str, Any]:
    one = Sum(currency=currency, total=amount * MICROS, granted=0, topped_up=amount * MICROS)
    return {"balance": Balance(available=available, sums=[one]).stored(), "balance_at": utc_now()}


def benched() -> dict[str, Any]:
    now = utc_now()
    until = {"benched_until": now + timedelta(minutes=5), "benched_since": now}
    return until | {"bench_code": "upstream_no_balance"}


def an_hour_passes() -> None:
    for notice in notices():
        change(Notice, notice.id, created_at=notice.created_at - account_alerts.AT_LEAST_OPEN)


def test_a_balance_that_was_read_is_told_of_once_and_again_after_it_was_well(
    root: User, upstream: ScriptedUpstream
) -> None:
    model_service.available()
    upstream.balance = "9.99"
    upkeep_service.tick()
    upkeep_service.tick()
    assert made() == told(80, root=root)
    change_key("environment", balance_due_at=None)
    upstream.balance = "100.00"
    an_hour_passes()
    upkeep_service.tick()
    assert made() == told(80, root=root)
    change_key("environment", balance_due_at=None)
    upstream.balance = "5.00"
    upkeep_service.tick()
    upkeep_service.tick()
    told_of_drift = ("drift", 100, "email", root.id)  # nobody asked anything for the 95 that are gone
    assert made() == [*told(80, 80, root=root), told_of_drift]


def test_the_usual_threshold_is_ten_and_another_can_be_set(root: User, provider_id: str) -> None:
    keep_key(provider_id, "a", **left(10))
    look()
    assert made() == []
    warning_admin_service.set_threshold(NOBODY, 11 * MICROS)
    look()
    assert made() == told(80, root=root)


def test_a_key_has_a_threshold_of_its_own(root: User, provider_id: str) -> None:
    keep_key(provider_id, "a", low_balance_micros=500 * MICROS, **left(499))
    keep_key(provider_id, "b", low_balance_micros=0, **left(1))
    keep_key(provider_id, "c", **left(499))
    look()
    assert [notice.subject_id for notice in notices()] == ["a"]


def test_keys_of_one_account_are_told_of_together(root: User, provider_id: str) -> None:
    for name in ("a", "b"):
        keep_key(provider_id, name, account="团队", **left(3))
    keep_key(keep_provider("Other", "https://other.example"), "c", account="团队", **left(500))
    look()
    (notice,) = notices()
    assert '"keys":["a","b"]' in notice.facts


@pytest.mark.parametrize("state", [benched(), left(500, available=False), left(500) | benched()])
def test_an_account_that_cannot_pay_is_told_of_as_empty(root: User, provider_id: str, state: dict[str, Any]) -> None:
    keep_key(provider_id, "a", **state)
    look()
    look()
    assert made() == told(100, root=root)


def test_low_and_then_empty_is_told_twice_and_what_follows_not_again(root: User, provider_id: str) -> None:
    keep_key(provider_id, "a", **left(3))
    look()
    change_key("a", **left(0, available=False))
    look()
    change_key("a", **left(1))
    look()
    assert made() == told(80, 100, root=root)


def test_an_account_that_goes_to_and_fro_is_told_of_once_an_hour(root: User, provider_id: str) -> None:
    keep_key(provider_id, "a", **benched())
    look()
    for _ in range(3):
        change_key("a", benched_until=None, benched_since=None, bench_code=None)
        look()
        change_key("a", **benched())
        look()
    assert made() == told(100, root=root)
    an_hour_passes()
    change_key("a", benched_until=None, benched_since=None, bench_code=None)
    look()
    change_key("a", **benched())
    look()
    assert made() == told(100, 100, root=root)


@pytest.mark.parametrize("fields", [{"disabled": True}, {"deleted_at": utc_now()}, {"secret": None}])
def test_a_key_that_is_not_used_is_nothing_to_warn_of(root: User, provider_id: str, fields: dict[str, Any]) -> None:
    keep_key(provider_id, "a", **({"low_balance_micros": None} | left(0) | fields))
    keep_key(provider_id, "unknown")
    look()
    assert made() == []


def test_members_are_not_told_and_the_webhook_is(make_user: MakeUser, provider_id: str) -> None:
    make_user("ada", email="ada@example.com")
    use_webhook()
    keep_key(provider_id, "a", **left(3, "USD"))
    look()
    (webhook,) = (notice for notice in notices() if notice.channel == "webhook")
    assert '"sums":[{"currency":"USD","micros":3000000}]' in webhook.facts
    assert len(notices()) == 2


@pytest.mark.parametrize("micros", [-1, warning_admin_service.MAX_THRESHOLD + 1])
def test_a_threshold_that_makes_no_sense_leaves_the_old_one(root: User, micros: int) -> None:
    warning_admin_service.set_threshold(NOBODY, warning_admin_service.MAX_THRESHOLD)
    with pytest.raises(Invalid, match="bad_low_balance"):
        warning_admin_service.set_threshold(NOBODY, micros)
    assert warning_admin_service.threshold() == warning_admin_service.MAX_THRESHOLD
    warning_admin_service.set_threshold(NOBODY, 0)
    assert warning_admin_service.threshold() == 0


def test_the_same_threshold_again_is_no_change(root: User) -> None:
    for _ in range(2):
        warning_admin_service.set_threshold(NOBODY, 7 * MICROS)
    with reading() as session:
        logged = session.scalars(select(AuditEntry).where(AuditEntry.action == "warnings.threshold")).all()
    assert len(logged) == 1
