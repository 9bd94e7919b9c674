"""A balance is its top-ups less what was used after it was made: the ledger says so, and no repair moves it unseen."""

import json
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import moment_of, new_id, reading, transaction, utc_now
from flask_app.domain.budget import TOKENS
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Budget, SpentDaily, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import balance_check, refund_service, shared_clock, usage_check_service
from flask_app.services.ledger.balance_check import NEAR, Mistake
from tests.conftest import MakeUser
from tests.support import calls, ledger
from tests.support.work import work

HOUSE = Actor(None)
BEGINS_ELSEWHERE = "balance that does not begin where the ledger has it"
EACH = {TOKENS: 150, "CNY": 1000}  # of an entry
LIMIT = 100_000
PLACES = [("user", TOKENS), ("user", "CNY"), ("group", TOKENS), ("site", "CNY")]


def made(scope: str, person: User, unit: str = TOKENS) -> str:
    """A balance of LIMIT."""
    scope_id = {"site": "", "group": DEFAULT_GROUP_ID, "user": person.id}[scope]
    place = Place(scope=scope, scope_id=scope_id, unit=unit, period="prepaid")
    return budget_admin_service.add(HOUSE, place, LIMIT, reason="paid").standing.id


def use(person: User, *, minutes_ago: float = 0, day: bool = True) -> TokenUsage:
    """An entry that was written so long ago."""
    moment = utc_now() - timedelta(minutes=minutes_ago)
    within = {"day": budget_service.site_day(moment), "group_id": person.group_id} if day else {}
    (entry,) = ledger.write([ledger.entry(person.id, moment, id=new_id(moment), **within)])
    return entry


def age(budget_id: str, minutes: float) -> str:
    """As if the balance had been made so long ago; its new id."""
    aged = new_id(moment_of(budget_id) - timedelta(minutes=minutes))
    with transaction() as session:
        session.execute(update(Budget).where(Budget.id == budget_id).values(id=aged, amount=0))
    budget_admin_service.top_up(HOUSE, aged, LIMIT, "paid")
    return aged


def spoil(budget_id: str, by: int) -> None:
    with transaction() as session:
        session.execute(update(Budget).where(Budget.id == budget_id).values(spent_before=Budget.spent_before + by))


def left(budget_id: str) -> int:
    with reading() as session:
        return budget_service.standings(session.connection(), [budget_id], utc_now())[budget_id].left


def found() -> list[Mistake]:
    return list(balance_check.mistakes())


@pytest.mark.each_case
@pytest.mark.parametrize(("scope", "unit"), PLACES)
@pytest.mark.parametrize("by", [1, -1, 1000])
def test_a_balance_that_begins_elsewhere_is_found_and_mended_aloud(
    app: Flask, member: User, make_user: MakeUser, scope: str, unit: str, by: int
) -> None:
    use(member, minutes_ago=60 * 24 * 40)
    use(member, minutes_ago=10)
    if scope == "user":
        use(make_user("somebody else"), minutes_ago=10)
    use(member, minutes_ago=10, day=False)  # of before the budgets
    balance = age(made(scope, member, unit), 5)
    use(member)
    assert found() == []
    assert left(balance) == LIMIT - EACH[unit]

    spoil(balance, by)
    before = 2 * EACH[unit]
    mistake = Mistake(balance, "spent_before", before + by, before)
    verified = [(each.what, each.where) for each in usage_check_service.verify()]
    assert verified == [(BEGINS_ELSEWHERE, f"{balance}: spent_before {before + by:,}, rightly {before:,}")]
    assert usage_check_service.rebuild(HOUSE) == 0, "it is no matter of the roll-up"
    assert left(balance) == LIMIT - EACH[unit] + by

    said = app.test_cli_runner().invoke(args=["usage", "rebuild"])
    assert said.output == f"Balance {mistake}\nMended in 1 places.\n"
    assert left(balance) == LIMIT - EACH[unit]
    assert found() == []
    with reading() as session:
        (noted,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "budget.mend"))
    assert (noted.target, json.loads(noted.details)) == (
        balance,
        {"before": {"spent_before": before + by}, "after": {"spent_before": before}},
    )


@pytest.mark.parametrize("scope", ["user", "group", "site"])
def test_a_counter_that_was_wrong_when_a_balance_was_made_moves_it_no_more(member: User, scope: str) -> None:
    use(member, minutes_ago=60 * 24 * 3)
    wrong = update(SpentDaily).where(SpentDaily.unit == TOKENS).values(amount=SpentDaily.amount - 70)
    with transaction() as session:
        session.execute(wrong)
    balance = age(made(scope, member), 5)
    use(member)
    assert usage_check_service.rebuild(HOUSE) > 0
    assert left(balance) == LIMIT - EACH[TOKENS] - 70, "or there is nothing to be mended"
    assert usage_check_service.mend_balances(HOUSE) == [Mistake(balance, "spent_before", 80, 150)]
    assert left(balance) == LIMIT - EACH[TOKENS]
    assert usage_check_service.mend_balances(HOUSE) == []
    assert list(usage_check_service.verify()) == []


def test_one_pass_over_the_ledger_is_enough_for_all_balances_of_site_and_groups(member: User) -> None:
    """Whenever they were made: each begins with what was used by then."""
    days_ago = [utc_now() - timedelta(days=60, seconds=number) for number in range(300)]
    within = {"group_id": member.group_id, "day": budget_service.site_day(days_ago[-1])}
    ledger.write(ledger.entry(member.id, moment, id=new_id(moment), **within) for moment in days_ago)
    begins: dict[str, int] = {}
    work_of_one = 0
    for number, (scope, unit) in enumerate([("group", TOKENS), ("site", TOKENS), ("site", "CNY"), ("group", "CNY")]):
        balance = age(made(scope, member, unit), 60 * 24 * (50 - 10 * number))
        begins[balance] = EACH[unit] * (300 + number)
        use(member, minutes_ago=60 * 24 * (45 - 10 * number))
        work_of_one = work_of_one or work(found)
    assert found() == []
    assert work(found) < 2 * work_of_one
    for balance, before in begins.items():
        spoil(balance, 1)
        assert found() == [Mistake(balance, "spent_before", before + 1, before)]
        spoil(balance, -1)


def test_a_counter_that_went_wrong_after_a_balance_was_made_leaves_its_beginning(member: User) -> None:
    use(member, minutes_ago=60 * 24 * 3)
    balance = age(made("user", member), 5)
    use(member)
    with transaction() as session:
        session.execute(update(SpentDaily).values(amount=SpentDaily.amount + 70))
    assert left(balance) != LIMIT - EACH[TOKENS]
    assert usage_check_service.rebuild(HOUSE) > 0
    assert usage_check_service.mend_balances(HOUSE) == []
    assert left(balance) == LIMIT - EACH[TOKENS]


def test_which_of_two_came_first_is_not_asked_where_no_clock_tells(member: User) -> None:
    near = NEAR.total_seconds() / 60 - 0.4  # leaves this test some time
    use(member, minutes_ago=10)
    use(member, minutes_ago=2 * near)
    balance = age(made("user", member), near)  # the second was written shortly before it, the third shortly after
    use(member)
    for by, is_found in ((-151, True), (-150, False), (0, False), (150, False), (151, True)):
        spoil(balance, by)
        mistakes = [Mistake(balance, "spent_before", 300 + by, 300)] if is_found else []
        assert found() == mistakes, by
        spoil(balance, -by)


def test_a_refund_near_a_balance_may_be_on_either_side_too(member: User) -> None:
    entry = use(member, minutes_ago=10)
    balance = made("user", member)
    refund_service.refund(HOUSE, entry.id, "it was wrong")
    assert left(balance) == LIMIT + 150
    for by, is_found in ((-151, True), (-150, False), (0, False), (1, True)):
        spoil(balance, by)
        assert bool(found()) == is_found, by
        spoil(balance, -by)


def test_what_is_being_written_when_a_balance_is_made_is_paid_from_it(member: User) -> None:
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=0, answer=300))
    balance = age(made("user", member), 5)
    calls.settle(sent, 0, 200)
    assert left(balance) == LIMIT - 200
    assert found() == []
    spoil(balance, 1)
    assert found() == [Mistake(balance, "spent_before", 1, 0)]
    spoil(balance, -1)


def test_what_comes_back_of_before_a_balance_goes_to_it(member: User) -> None:
    entry = use(member, minutes_ago=10)
    balance = age(made("user", member), 5)
    refund_service.refund(HOUSE, entry.id, "it was wrong")
    assert left(balance) == LIMIT + 150
    assert found() == []


def test_entries_and_balances_are_dated_by_the_databases_clock(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a balance and a refund it is asked."""
    hour = timedelta(hours=1)
    monkeypatch.setattr(shared_clock, "_ahead", hour)
    calls.settle(calls.dispatch(calls.call_of(member.id), Bounds(prompt=0, answer=300)), 0, 200)
    with reading() as session:
        (entry,) = session.scalars(select(TokenUsage))
    assert abs(moment_of(entry.id) - utc_now() - hour) < timedelta(seconds=30)
    assert abs(moment_of(made("user", member)) - utc_now()) < timedelta(seconds=30)
    monkeypatch.setattr(shared_clock, "_ahead", hour)
    refund_service.refund(HOUSE, entry.id, "it was wrong")
    with reading() as session:
        refund = session.scalars(select(TokenUsage.id).where(TokenUsage.kind == "refund")).one()
    assert abs(moment_of(refund) - utc_now()) < timedelta(seconds=30)
    with transaction() as session:  # the balance was made before this entry, by the clock that was patched
        session.execute(update(TokenUsage).where(TokenUsage.id == entry.id).values(id=new_id()))


def test_a_limit_that_is_topped_up_meanwhile_is_left_for_the_next_time(member: User) -> None:
    balance = made("user", member)
    with transaction() as session:
        session.execute(update(Budget).values(amount=7))
    moved: list[list[Mistake]] = []
    repair = threading.Thread(target=lambda: moved.append(usage_check_service.mend_balances(HOUSE)))
    with transaction() as session:
        found = session.get_one(Budget, balance, with_for_update=True)
        repair.start()
        repair.join(2)
        assert repair.is_alive()
        found.amount = 8
    repair.join()
    assert moved == [[]]
    assert usage_check_service.mend_balances(HOUSE) == [Mistake(balance, "amount", 8, LIMIT)]
    assert left(balance) == LIMIT


def test_what_has_no_price_was_used_in_tokens_alone(member: User) -> None:
    moment = utc_now() - timedelta(days=40)
    within = {"day": budget_service.site_day(moment), "group_id": member.group_id}
    unpriced = {"cost_micros": None, "currency": None}
    ledger.write([ledger.entry(member.id, moment, id=new_id(moment), **within, **unpriced)])
    balances = [age(made("site", member, unit), 5) for unit in (TOKENS, "CNY")]
    assert found() == []
    for balance in balances:
        spoil(balance, 1)
    assert [(each.balance_id, each.rightly) for each in found()] == list(zip(balances, (150, 0), strict=True))
    usage_check_service.mend_balances(HOUSE)
    assert found() == []


def test_only_the_balance_that_is_wrong_is_mended(member: User, make_user: MakeUser) -> None:
    """The other has the same figure rightly."""
    other = make_user("somebody else")
    use(other, minutes_ago=60)
    right, wrong = (age(made("user", person), 5) for person in (other, member))
    spoil(wrong, EACH[TOKENS])
    assert usage_check_service.mend_balances(HOUSE) == [Mistake(wrong, "spent_before", EACH[TOKENS], 0)]
    assert (left(right), left(wrong)) == (LIMIT, LIMIT)
