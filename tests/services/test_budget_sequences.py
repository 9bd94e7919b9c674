"""No order of events passes a budget's limit. At length: `make budgets`."""

import os

import pytest
from flask import Flask
from sqlalchemy import delete

from flask_app.database import transaction
from flask_app.models import DEFAULT_GROUP_ID, Tariff
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser
from tests.support import gateway, sequences
from tests.support.budget_acts import CURRENCIES, Scene
from tests.support.budget_sequences import Sequences
from tests.support.keys import keep_provider
from tests.support.storage import Seeds

RUNS = int(os.environ.get("BUDGET_RUNS", "25"))
STEPS = int(os.environ.get("BUDGET_STEPS", "50"))


@pytest.mark.parametrize("runs", sequences.parts(RUNS))
def test_whatever_happens_no_limit_is_passed_but_by_what_a_provider_counts_beyond(
    app: Flask, seeds: Seeds, make_user: MakeUser, runs: int
) -> None:
    def place() -> Scene:
        seeds.restore()
        with transaction() as session:
            session.execute(delete(Tariff))
        people = [make_user(name) for name in "abc"]
        other = group_service.add(Actor(None), Choices(name="other")).group.id
        providers = {each: keep_provider(each, f"https://{each}.example.com", currency=each) for each in CURRENCIES}
        tokens = {person.id: gateway.made(person).token.id for person in people}
        return Scene(people, tokens, [DEFAULT_GROUP_ID, other], providers)

    machine = type("Machine", (Sequences,), {"place": staticmethod(place)})
    sequences.run(machine, runs, STEPS)
    seeds.restore()
