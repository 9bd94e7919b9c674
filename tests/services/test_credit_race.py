"""However many give the same thing at once, in however many processes: it is given once."""

from sqlalchemy import func, select

from flask_app.database import reading, utc_now, writing
from flask_app.models import Budget, RedeemCode, TokenUsage, TopUp
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service, code_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.code_admin_service import Terms
from tests.conftest import MakeUser
from tests.support import calls, ledger
from tests.support.budget_race import BOUNDS
from tests.support.credit_race import AMOUNT
from tests.support.racing import CALLERS, raced

THINGS, WORTH, FIRST = 20, 1000, 10_000


def test_two_processes_with_200_callers_refund_redeem_and_top_up_each_thing_once(
    database_url: str, make_user: MakeUser
) -> None:
    person = make_user("person").id
    place = Place(scope="user", scope_id=person, period="prepaid")
    balance = budget_admin_service.add(Actor(None), place, FIRST, reason="paid").standing.id
    for _ in range(THINGS):
        calls.settle(calls.dispatch(calls.call_of(person), BOUNDS), BOUNDS.prompt, BOUNDS.answer)
    entries = {entry.id: entry.attempt_id for entry in ledger.entries()}
    codes = code_admin_service.make(Actor(None), Terms(label="flyers", count=THINGS, unit="tokens", amount=WORTH)).codes
    keys = [f"key {number}" for number in range(THINGS)]

    outcomes = raced("credit_race", database_url, person, balance, *map(",".join, (entries, codes, keys)))

    by_way = [sum(number % 3 == way for number in range(CALLERS)) for way in range(3)]
    assert outcomes == {
        "refunded": THINGS,
        "already_refunded": 2 * by_way[0] - THINGS,
        "redeemed": THINGS,
        "code_redeemed": 2 * by_way[1] - THINGS,
        "topped up": 2 * by_way[2],  # whoever repeats a key is told how the balance stands
    }
    given = THINGS * (WORTH + AMOUNT)
    with reading() as session:
        refunds = session.scalars(select(TokenUsage).where(TokenUsage.kind == "refund")).all()
        redeemed = session.scalars(select(RedeemCode.id).where(RedeemCode.redeemed_by == person)).all()
        topped_up = session.execute(select(func.count(), func.sum(TopUp.amount))).one()
        assert len(session.scalars(select(Budget)).all()) == 1
    assert sorted(refund.attempt_id for refund in refunds) == sorted(entries.values())
    assert len(redeemed) == THINGS
    assert (topped_up[0], int(topped_up[1])) == (1 + 2 * THINGS, FIRST + given)
    with writing() as connection:
        (standing,) = budget_service.standings(connection, [balance], utc_now()).values()
    assert (standing.limit, standing.spent, standing.reserved) == (FIRST + given, 0, 0)
