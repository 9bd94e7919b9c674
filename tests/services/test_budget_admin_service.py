"""Budgets that no page can ask for."""

from itertools import chain

import pytest
from flask import Flask

from flask_app.database import utc_now
from flask_app.errors import BadRequest, Invalid
from flask_app.models import DEFAULT_GROUP_ID, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place


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


def test_a_list_is_read_page_by_page_and_none_is_left_out(member: User, admin: User) -> None:
    places = [
        Place(scope="user", scope_id=person.id, period=period)
        for person in (member, admin)
        for period in ("day", "week")
    ]
    made = [budget_admin_service.add(Actor(None), place, 1000).standing.id for place in places]
    for limit, sizes in ((1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 1]), (4, [4])):
        pages: list[list[str]] = []
        before = None
        while not pages or before:
            page = budget_admin_service.listed(utc_now(), limit=limit, before=before)
            pages.append([each.standing.id for each in page.budgets])
            before = page.next
        assert ([len(page) for page in pages], sorted(chain(*pages))) == (sizes, sorted(made))


def test_a_limit_that_holds_only_warns_when_it_is_set_so_and_the_other_way_round(member: User) -> None:
    place = Place(scope="user", scope_id=member.id, period="day")
    first = budget_admin_service.put(Actor(None), place, 1000, hard=False).standing
    for hard in (True, True, False, True):
        found = budget_admin_service.put(Actor(None), place, 1000, hard=hard).standing
        assert (found.id, found.hard) == (first.id, hard)
    found = budget_admin_service.change(Actor(None), first.id, limit=2000).standing
    assert (found.limit, found.hard) == (2000, True)
