"""The table of who may do what."""

import pytest

from flask_app.domain import policy
from flask_app.domain.policy import PERMISSIONS, ROLES, is_above, least, may

OF_THE_SITE = PERMISSIONS.keys() - {"conversations"}


def test_each_line_says_something_of_every_role() -> None:
    for permission in PERMISSIONS.values():
        assert tuple(permission.reach) == ROLES
        assert set(permission.reach.values()) <= {"site", "group", "own", "-"}, permission.name
        assert all((reach == "group") <= (role == "manager") for role, reach in permission.reach.items())
        assert permission.words


def test_a_higher_role_may_what_a_lower_one_may() -> None:
    for name in PERMISSIONS:
        if name != "conversations":
            allowed = [may(role, name) for role in ROLES]
            assert allowed == sorted(allowed, reverse=True), name
            assert allowed[0], "the owner may do everything else"


def test_nobody_reads_conversations_but_the_managers_of_a_supervised_group() -> None:
    assert [role for role in ROLES if may(role, "conversations")] == ["manager"]


def test_only_owners_say_who_keeps_the_site() -> None:
    assert {name for name in OF_THE_SITE if least(name) == "owner"} == {"admins.name", "ownership"}
    assert {name for name in OF_THE_SITE if least(name) == "member"} == {"own"}


def test_a_name_that_is_not_in_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        may("owner", "everything")


def test_nobody_is_above_their_equals() -> None:
    above = {(one, other) for one in ROLES for other in ROLES if is_above(one, other)}
    assert above == {(one, other) for place, one in enumerate(ROLES) for other in ROLES[place + 1 :]}


def test_what_a_manager_may_in_a_group() -> None:
    reached = {name for name, permission in PERMISSIONS.items() if permission.reach["manager"] == "group"}
    assert reached == {
        "people.see",
        "people.invite",
        "people.disable",
        "people.link",
        "usage",
        "budgets.see",
        "conversations",
    }


def test_the_heads_of_the_table_are_the_roles() -> None:
    assert tuple(policy.TABLE.split()[1 : len(ROLES) + 1]) == ROLES
