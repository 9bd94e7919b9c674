"""What a manager sees of tokens: what the people of their group use, and what they may."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_app.database import utc_now
from flask_app.models import User
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from tests.support import ledger, managing
from tests.support.managing import HOUSE, Class


def test_use_is_that_of_the_people_in_the_group(room: Class) -> None:
    moment = datetime(2026, 11, 24, 12, tzinfo=UTC)
    ledger.write([ledger.entry(who.id, moment) for who in (room.pupil, room.pupil, room.stranger, room.teacher)])
    rows = room.client.get(room.url("/use")).json["rows"]  # type: ignore[index]
    assert [(row["label"], row["requests"]) for row in rows] == [("pupil", 2)]
    assert room.client.get(room.url("/use?from=2026-11-26")).json["rows"] == []  # type: ignore[index]
    assert room.client.get(room.url("/use?from=2026-11-26&to=2026-11-01")).status_code == 400


def test_use_is_asked_of_the_group_alone(room: Class, query_count: Callable[[], Any]) -> None:
    ledger.write([ledger.entry(who.id, utc_now()) for who in (room.pupil, room.stranger)])
    with query_count() as statements:
        assert len(room.client.get(room.url("/use")).json["rows"]) == 1  # type: ignore[index]
    (asked,) = (each for each in statements if "usage_hourly" in each)
    assert "users.group_id = " in asked, "nobody else is added up"


def test_the_page_tells_the_use_of_the_days_that_are_chosen(room: Class) -> None:
    ledger.write([ledger.entry(room.pupil.id, utc_now() - timedelta(days=days)) for days in (0, 3, 20)])
    spans = ("range=today", "range=days_7", "range=days_30", "")
    pages = [room.client.get(f"/managed/{room.group}?{span}").text for span in spans]
    assert [_used(page, room.pupil) for page in pages] == [1, 2, 3, 3]
    assert room.client.get(f"/managed/{room.group}?range=ever").status_code == 404


def _used(page: str, person: User) -> int:
    return next(int(each["requests"]) for each in _state(page)["use"] if each["key"] == person.id)


def _state(page: str) -> Any:
    return json.loads(page.split('id="admin-state">')[1].split("</script>", maxsplit=1)[0])


def test_budgets_are_those_of_the_group_and_its_people(room: Class) -> None:
    for scope, scope_id in (
        ("site", ""),
        *(("group", each) for each in (room.group, room.other)),
        *(("member", each) for each in (room.group, room.other)),
        *(("user", each.id) for each in (room.pupil, room.stranger)),
    ):
        budget_admin_service.add(HOUSE, Place(scope=scope, scope_id=scope_id, period="day"), 1000)
    budgets = room.client.get(room.url("/budgets")).json["budgets"]  # type: ignore[index]
    assert {(each["scope"], each["name"]) for each in budgets} == {
        ("group", "Class 3b"),
        ("member", "Class 3b"),
        ("user", "pupil"),
    }


def test_older_budgets_and_invitations_are_within_reach(room: Class) -> None:
    for period in ("day", "month"):
        for scope in ("group", "member"):
            budget_admin_service.add(HOUSE, Place(scope=scope, scope_id=room.group, period=period), 1000)
    first = room.client.get(room.url("/budgets?limit=3")).get_json()
    rest = room.client.get(room.url(f"/budgets?limit=3&before={first['next']}")).get_json()
    assert ([len(page["budgets"]) for page in (first, rest)], rest["next"]) == ([3, 1], None)
    assert len({each["id"] for page in (first, rest) for each in page["budgets"]}) == 4
    for _ in range(51):
        managing.invitation(room.group)
    shown = _state(room.client.get(f"/managed/{room.group}").text)
    assert (len(shown["invited"]["invitations"]), len(shown["budgets"]["budgets"])) == (50, 4)
    (oldest,) = room.client.get(room.url(f"/invitations?before={shown['invited']['next']}")).get_json()["invitations"]
    assert oldest["id"] < shown["invited"]["invitations"][-1]["id"]
