"""PUT /api/admin/groups/…/opening-balance."""

from typing import Any

import pytest

from flask_app.database import new_id
from flask_app.models import DEFAULT_GROUP_ID, User
from tests.support import managing
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.limits import own

GROUPS = "/api/admin/groups"


def put(client: PageClient, group_id: str = DEFAULT_GROUP_ID, **body: Any) -> Any:
    return client.put(f"{GROUPS}/{group_id}/opening-balance", json=body)


def test_it_is_set_told_and_taken_back(
    admin_client: PageClient, admin: User, member: User, member_client: PageClient
) -> None:
    group = managing.group("readers")
    admin_client.patch(f"/api/admin/users/{member.id}", json={"group_id": group})
    opening = {"unit": "CNY", "amount": 5_000_000}
    assert put(admin_client, group, **opening).json == {"opening": opening, "given": 1}
    listed = {each["id"]: each["opening"] for each in admin_client.get(GROUPS).json["groups"]}  # type: ignore[index]
    assert listed == {DEFAULT_GROUP_ID: None, group: opening}
    (balance,) = own(member_client)
    assert (balance["unit"], balance["left"], balance["full"]) == ("CNY", 5_000_000, 5_000_000)
    top_ups = f"/api/admin/budgets/{balance['id']}/top-ups"
    for language, words in (("en", "Opening balance"), ("zh", "起始余额")):
        shown: Any = admin_client.get(top_ups, headers={"Accept-Language": language}).json
        assert [(each["reason"], each["by"]) for each in shown["top_ups"]] == [(words, admin.username)]
    assert put(admin_client, group, amount=None).json == {"opening": None, "given": 0}
    assert own(member_client) == [balance]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_field"),
        ({"amount": -1}, "invalid_field"),
        ({"amount": 10**15 + 1}, "invalid_field"),
        ({"amount": 1.5}, "invalid_field"),
        ({"amount": True}, "invalid_field"),
        ({"amount": "5"}, "invalid_field"),
        ({"amount": 5, "unit": "¥"}, "bad_currency"),
        ({"amount": 5, "unit": "tokenstokens"}, "invalid_field"),
        ({"amount": 5, "unit": None}, "invalid_field"),
        ({"amount": 5, "other": 1}, "invalid_field"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(admin_client: PageClient, body: dict[str, Any], code: str) -> None:
    refused = put(admin_client, **body)
    assert (refused.status_code, error_code(refused)) == (422, code)


def test_a_group_that_is_not_there(admin_client: PageClient) -> None:
    for absent in (new_id(), "x", "编号"):
        assert put(admin_client, absent, amount=5).status_code == 404


def test_only_administrators_set_it(client: PageClient, member: User, member_client: PageClient) -> None:
    managed = managing.group("readers", member.username)
    for group in (DEFAULT_GROUP_ID, managed):
        assert put(member_client, group, amount=5).status_code == 403
        assert put(client, group, amount=5).status_code == 401
    assert own(member_client) == []
