"""One's own prompts: kept, listed, searched, changed, deleted; and what one can ask with by a command."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from flask_app.database import reading, table_of, writing
from flask_app.models import DEFAULT_GROUP_ID, EVERYBODY, Group, Prompt, SharedPrompt, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_deletion, group_service, user_admin_service
from flask_app.services.people.group_service import Choices
from flask_app.services.prompts import offered_prompts, own_prompts, prompt_terms, shared_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.together import at_once

PROMPTS, OFFERED = "/api/prompts", "/api/offered-prompts"
SUM = {"command": "sum", "title": "Sum it up", "text": "Sum this up:\n{{text}}"}
QueryCount = Callable[[], AbstractContextManager[list[str]]]


def keep(client: PageClient, **words: str) -> dict[str, Any]:
    reply = client.post(PROMPTS, json=SUM | words)
    assert reply.status_code == 201, reply.data
    made: dict[str, Any] = reply.get_json()
    return made


def commands(client: PageClient, path: str = PROMPTS) -> list[str]:
    return [each["command"] for each in client.get(path).json["prompts"]]  # type: ignore[index]


def group(name: str) -> Group:
    return group_service.add(Actor(None), Choices(name=name)).group


def share(group_id: str | None = None, **words: str) -> SharedPrompt:
    return shared_prompts.add(Actor(None), group_id, Wanted(**(SUM | words)))


def test_a_prompt_is_kept_changed_and_deleted(member_client: PageClient) -> None:
    made = keep(member_client, title="  Sum \n it up ", text="Sum this up:\r\n{{text}} ")
    assert (made["command"], made["title"], made["text"]) == ("sum", "Sum it up", "Sum this up:\n{{text}} ")
    (listed,) = member_client.get(PROMPTS).json["prompts"]  # type: ignore[index]
    assert (listed["beginning"], "text" in listed) == ("Sum this up:\n{{text}} ", False)
    changed = member_client.put(
        f"{PROMPTS}/{made['id']}", json={"command": "总结", "title": "总结", "text": "总结一下"}
    )
    assert changed.status_code == 200
    assert changed.json["updated_at"] > made["updated_at"]  # type: ignore[index]
    assert member_client.get(f"{PROMPTS}/{made['id']}").json == changed.json
    assert member_client.delete(f"{PROMPTS}/{made['id']}").status_code == 204
    assert commands(member_client) == []
    assert member_client.put(f"{PROMPTS}/{made['id']}", json=SUM).status_code == 404, "deleted in another tab"


@pytest.mark.security("foreign-is-absent")
def test_nobody_else_reads_changes_or_deletes_one(
    member_client: PageClient, admin_client: PageClient, client: PageClient
) -> None:
    made = keep(member_client, text="a canary: 7c1e0b")
    for stranger in (admin_client, client):
        expected = 404 if stranger is admin_client else 401
        assert stranger.get(f"{PROMPTS}/{made['id']}").status_code == expected
        assert stranger.put(f"{PROMPTS}/{made['id']}", json=SUM).status_code == expected
        assert stranger.delete(f"{PROMPTS}/{made['id']}").status_code == expected
        assert stranger.get(f"{OFFERED}/{made['id']}/text").status_code == expected
    for path in ("/prompts", "/admin/prompts", "/api/admin/prompts", "/api/admin/audit", OFFERED, PROMPTS):
        assert "7c1e0b" not in admin_client.get(path).text, path
    assert admin_client.get(f"/api/admin/prompts/{made['id']}").status_code == 404
    assert client.get("/prompts").status_code == 302
    assert member_client.get(f"{PROMPTS}/{made['id']}").json == made


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"command": "two words"}, "bad_prompt_command"),
        ({"command": "/sum"}, "bad_prompt_command"),
        ({"command": "x" * 33}, "bad_prompt_command"),
        ({"command": "\ufdfa"}, "bad_prompt_command"),  # which is eighteen letters and blanks once it is folded
        ({"command": "<script>"}, "bad_prompt_command"),
        ({"title": " \u200b\u202e "}, "bad_prompt_title"),
        ({"title": "x" * 101}, "bad_prompt_title"),
        ({"text": " \n\u2800"}, "bad_prompt_text"),
        ({"text": "x" * 20_001}, "bad_prompt_text"),
        ({"text": "".join(f"{{{{v{number}}}}}" for number in range(21))}, "too_many_variables"),
        ({"text": ""}, "invalid_field"),
        ({"title": None}, "invalid_field"),
        ({"user_id": "x"}, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(member_client: PageClient, words: dict[str, Any], code: str) -> None:
    made = keep(member_client)
    for reply in (
        member_client.post(PROMPTS, json=SUM | {"command": "other"} | words),
        member_client.put(f"{PROMPTS}/{made['id']}", json=SUM | words),
    ):
        assert (reply.status_code, error_code(reply)) == (422, code)
    assert member_client.get(f"{PROMPTS}/{made['id']}").json == made


def test_the_longest_text_is_kept_whole(member_client: PageClient) -> None:
    for text in ("题" * 20_000, "🙂" * 20_000, "\n" * 19_999 + "x", "{{a}}" * 4_000, "{{" * 10_000):
        made = keep(member_client, command=f"c{len(commands(member_client))}", text=text)
        assert member_client.get(f"{OFFERED}/{made['id']}/text").json == {"text": text}
    longest = max(len(each["beginning"]) for each in member_client.get(PROMPTS).json["prompts"])  # type: ignore[index]
    assert longest == 200


def test_a_command_stands_once_without_case_and_width(member_client: PageClient, make_user: MakeUser) -> None:
    made, other = keep(member_client, command="Straße"), keep(member_client, command="b")
    for same in ("strasse", "STRASSE", "ｓｔｒａｓｓｅ"):
        assert error_code(member_client.post(PROMPTS, json=SUM | {"command": same})) == "prompt_command_taken"
        taken = member_client.put(f"{PROMPTS}/{other['id']}", json=SUM | {"command": same})
        assert (taken.status_code, error_code(taken)) == (409, "prompt_command_taken")
    assert member_client.put(f"{PROMPTS}/{made['id']}", json=SUM | {"command": "STRASSE"}).status_code == 200
    own_prompts.add(make_user("another"), Wanted("strasse", "theirs", "theirs"))


def test_two_tabs_keep_the_same_command_once(app: Flask, member: User) -> None:
    outcomes = at_once(4, lambda _: own_prompts.add(member, Wanted(**SUM)))
    assert sum(isinstance(each, Prompt) for each in outcomes) == 1, outcomes
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Prompt)) == 1


def test_there_is_a_limit(member: User, member_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_terms, "MOST", 2)
    keep(member_client, command="a"), keep(member_client, command="b")
    refused = member_client.post(PROMPTS, json=SUM)
    assert (refused.status_code, error_code(refused)) == (409, "too_many_prompts")


def test_a_list_comes_in_pages_and_is_searched(member: User, member_client: PageClient) -> None:
    for number in range(7):
        own_prompts.add(member, Wanted(f"c{number}", f"100% No_{number}" if number % 2 else f"Ärger {number}", "text"))
    every = commands(member_client)
    assert sorted(every) == [f"c{number}" for number in range(7)]
    first = member_client.get(f"{PROMPTS}?limit=3").json
    assert first
    assert [each["command"] for each in first["prompts"]] == every[:3]
    assert commands(member_client, f"{PROMPTS}?limit=4&before={first['next']}") == every[3:]
    for sought, found in (
        ("ÄRGER", ["c0", "c2", "c4", "c6"]),
        ("/C5", ["c5"]),
        ("0%25", ["c1", "c3", "c5"]),
        ("_3", ["c3"]),
        ("%25%25", []),
    ):
        assert sorted(commands(member_client, f"{PROMPTS}?q={sought}")) == found, sought
    assert "Ärger" in member_client.get("/prompts?q=ärger").text
    for bad in ("limit=0", "limit=101", "before=x", "q=%00"):
        assert member_client.get(f"{PROMPTS}?{bad}").status_code == 400, bad


def test_lists_ask_no_more_of_the_database_when_they_are_long(
    member: User, member_client: PageClient, query_count: QueryCount
) -> None:
    counts = []
    for round_of in range(2):
        for number in range(1 if round_of == 0 else 20):
            own_prompts.add(member, Wanted(f"own{round_of}-{number}", "title", "text"))
            share(command=f"shared{round_of}-{number}")
        for path in (PROMPTS, OFFERED, "/prompts"):
            with query_count() as statements:
                assert member_client.get(path).status_code == 200
            counts.append(len(statements))
    assert counts[:3] == counts[3:]


def test_own_ones_come_before_the_groups_and_those_before_everybodys(
    member: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    theirs, others = group("theirs"), group("others")
    user_admin_service.change(Actor(None), member.id, group_id=theirs.id)
    share(command="SUM", title="everybody's")
    share(command="only", title="everybody's")
    share(theirs.id, command="Sum", title="the group's"), share(theirs.id, command="class", title="the group's")
    foreign = share(others.id, command="foreign", title="another group's")
    offered = member_client.get(OFFERED).json["prompts"]  # type: ignore[index]
    shown = [(each["command"], each["title"], each["source"]) for each in offered]
    groups = [("class", "the group's", "group"), ("Sum", "the group's", "group")]
    assert shown == [*groups, ("only", "everybody's", "site")]
    keep(member_client, title="my own")
    offered = member_client.get(OFFERED).json["prompts"]  # type: ignore[index]
    shown = [(each["command"], each["title"], each["source"]) for each in offered]
    assert shown == [("sum", "my own", "own"), groups[0], ("only", "everybody's", "site")]
    assert member_client.get(f"{OFFERED}/{foreign.id}/text").status_code == 404


@pytest.mark.security("foreign-is-absent")
def test_whoever_leaves_a_group_leaves_its_prompts(member: User, member_client: PageClient) -> None:
    theirs = group("theirs")
    prompt = share(theirs.id)
    text = f"{OFFERED}/{prompt.id}/text"
    assert member_client.get(text).status_code == 404
    user_admin_service.change(Actor(None), member.id, group_id=theirs.id)
    assert member_client.get(text).json == {"text": SUM["text"]}
    user_admin_service.change(Actor(None), member.id, group_id=DEFAULT_GROUP_ID)
    assert (commands(member_client, OFFERED), member_client.get(text).status_code) == ([], 404)
    user_admin_service.change(Actor(None), member.id, group_id=theirs.id)
    group_deletion.delete(Actor(None), theirs.id)
    assert (commands(member_client, OFFERED), member_client.get(text).status_code) == ([], 404)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SharedPrompt)) == 0, "it is gone with its group"


def test_most_that_one_can_have_are_offered(member: User, member_client: PageClient, query_count: QueryCount) -> None:
    theirs, of = group("theirs").id, {"title": "title", "title_key": "title", "text": "text"}
    user_admin_service.change(Actor(None), member.id, group_id=theirs)
    places = [{"user_id": member.id}, {"group_id": theirs, "scope_id": theirs}, {"scope_id": EVERYBODY}]
    with writing() as connection:
        for model, place in zip((Prompt, SharedPrompt, SharedPrompt), places, strict=True):
            commands = [f"{len(place)}{model.__tablename__}{number}" for number in range(prompt_terms.MOST)]
            rows = [{"command": each, "command_key": each, **of, **place} for each in commands]
            connection.execute(insert(table_of(model)), rows)
    with reading() as session:
        there = session.get_one(User, member.id)
    with query_count() as statements:
        found = offered_prompts.listed(there)
    assert [each.source for each in found] == [source for source in ("own", "group", "site") for _ in range(500)]
    assert len(statements) == 2


def test_a_title_is_text_on_every_page(admin_client: PageClient) -> None:
    hostile = "</script><img src=x onerror=alert(1)>{{7*7}}"
    keep(admin_client, title=hostile, text=hostile)
    share(title=hostile, text=hostile)
    for path in ("/prompts", "/admin/prompts"):
        page = admin_client.get(path).text
        assert "<img src=x" not in page, path
        assert "\\u003c/script>\\u003cimg src=x" in page, path
