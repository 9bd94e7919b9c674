"""Budgets that no page can ask for."""

import pytest
from flask import Flask

from flask_app.database import utc_now
from flask_app.errors import BadRequest, Invalid
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services import budget_admin_service
from flask_app.services.audit_service import Actor
from flask_app.services.budget_admin_service import Place


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (Place(scope="thing", scope_id="x", period="day"), "bad_budget_scope"),
        (Place(scope="token", scope_id="x", period="prepaid"), "bad_budget_period"),
        (Place(scope="user", scope_id="x", period="total"), "bad_budget_period"),
        (Place(scope="group", period="day"), "bad_budget_scope"),
        (Place(scope="site", scope_id=DEFAULT_GROUP_ID, period="day"), "bad_budget_scope"),
        (Place(scope="site", period="year"), "bad_budget_period"),
    ],
)
def test_what_makes_no_sense_is_refused_whoever_asks(app: Flask, place: Place, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        budget_admin_service.add(Actor(None), place, 1000)
    assert refused.value.code == code
    assert budget_admin_service.find(place) is None


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_page_has_a_hundred_budgets_at_most(app: Flask, limit: int) -> None:
    with pytest.raises(BadRequest) as refused:
        budget_admin_service.listed(utc_now(), limit=limit)
    assert (refused.value.code, refused.value.params) == ("bad_limit", {"limit": 100})
    assert budget_admin_service.listed(utc_now(), limit=1).budgets == []
