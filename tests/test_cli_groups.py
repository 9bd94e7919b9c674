"""`flask groups …` and `flask users group`: groups from a terminal."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from flask_app.database import transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, ChatModel, Conversation, Provider, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_access, group_service
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.conftest import MakeUser
from tests.support.entrance import stored


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


def groups(app: Flask, *arguments: str) -> Result:
    return run(app, "groups", *arguments)


@pytest.fixture
def readers(app: Flask) -> str:
    assert groups(app, "add", "Readers").output == "Readers\n"
    return group_service.by_name("readers").id


def test_what_people_would_lose_by_another_group_is_said_first(app: Flask, readers: str, member: User) -> None:
    with transaction() as session:
        session.add(Conversation(user_id=member.id, title="old", updated_at=utc_now() - timedelta(days=31)))
    for kept, words in (
        ({readers: 30}, ("users", "group", "member", "Readers")),
        ({DEFAULT_GROUP_ID: 30}, ("groups", "delete", "Readers")),
    ):
        retention_settings.change(Actor(None), Kept(groups=kept), is_confirmed=True)
        refused = run(app, *words)
        assert refused.exit_code == 1
        assert "conversations 1, of people 1" in refused.output
        assert run(app, *words, "--yes").exit_code == 0
    assert stored(member).group_id == DEFAULT_GROUP_ID


def test_a_group_is_added_changed_and_deleted(app: Flask, readers: str, member: User) -> None:
    assert run(app, "users", "group", "member", "readers").output == "member: Readers\n"
    assert stored(member).group_id == readers
    changed = groups(app, "change", "readers", "--name", "Book club", "--on-disconnect", "limit", "--tokens", "100")
    assert changed.output == "Book club: 100 more tokens\n"
    assert groups(app, "change", "book club", "--on-disconnect", "stop").output == "Book club: stop\n"
    assert groups(app, "delete", "Book club").exit_code == 0
    assert stored(member).group_id != readers
    assert groups(app, "delete", "Book club").exit_code == 1


def test_a_group_has_a_quota_of_files(app: Flask, readers: str) -> None:
    assert groups(app, "change", "readers", "--file-quota", "50").exit_code == 0
    assert group_service.by_name("readers").file_quota_mb == 50
    assert groups(app, "change", "readers", "--name", "Readers").exit_code == 0
    assert group_service.by_name("readers").file_quota_mb == 50, "what is not named stays"
    refused = groups(app, "change", "readers", "--file-quota", "-1")
    assert (refused.exit_code, "between 0 and 1" in refused.output) == (1, True)


def test_what_makes_no_sense_is_said(app: Flask, readers: str, member: User) -> None:
    assert readers
    for arguments, words in (
        (("groups", "add", "readers"), "Another group"),
        (("groups", "add", " "), "characters"),
        (("groups", "delete", "Everyone"), "group"),
        (("groups", "change", "readers", "--on-disconnect", "limit"), ""),
        (("groups", "access", "readers", "--hours", "morning"), "08:00-16:30"),
        (("groups", "access", "readers", "--hours", "08:00-08:00"), ""),
        (("users", "group", "nobody", "readers"), "nobody"),
        (("users", "group", "member", "nowhere"), "no such group"),
    ):
        result = run(app, *arguments)
        assert result.exit_code in {1, 2}, result.output
        assert words in result.output


def test_access_and_hours_are_set_one_by_one(app: Flask, readers: str) -> None:
    def told(*options: str) -> list[str]:
        return groups(app, "access", "readers", *options).output.splitlines()

    hours = ("--hours", "22:00-06:30", "--day", "mon", "--day", "sun")
    tokens, sharing, searching, models = "Access tokens: yes", "Sharing: yes", "Searching the web: yes", "Models: all"
    assert told() == [tokens, sharing, searching, models, "Hours: always"]
    assert told(*hours) == [tokens, sharing, searching, models, "Hours: 1,7 22:00-06:30"]
    assert told("--no-api")[:3] == ["Access tokens: no", sharing, searching]
    assert told("--no-sharing")[:3] == ["Access tokens: no", "Sharing: no", searching], "what is not named stays"
    assert told("--no-search") == [
        *("Access tokens: no", "Sharing: no", "Searching the web: no", models),
        "Hours: 1,7 22:00-06:30",
    ]
    assert told("--search")[2] == searching
    assert groups(app, "access", "readers", "--hours", "always", "--api", "--sharing").output.endswith(
        "Hours: always\n"
    )
    assert group_access.read(group_service.by_name("readers").access) == group_access.ANYHOW
    assert groups(app, "access", "readers", "--hours", "08:00-16:00").output.endswith("1,2,3,4,5,6,7 08:00-16:00\n")


def test_what_each_person_begins_with_is_said_and_set(app: Flask, readers: str, member: User) -> None:
    assert groups(app, "opening", "readers").output == "Nobody begins with one.\n"
    run(app, "users", "group", "member", "readers")
    given = groups(app, "opening", "readers", "20.50", "--unit", "cny").output
    assert given == "Each begins with 20.5 CNY.\nGiven to 1 people.\n"
    assert groups(app, "opening", "readers", "0", "--unit", "CNY").output == "Each begins with 0 CNY.\n"
    assert groups(app, "opening", "readers").output == "Each begins with 0 CNY.\n"
    assert "20.5 CNY" in run(app, "budgets", "list").output, "who has one keeps it"
    assert groups(app, "opening", "readers", "--none").output == "Nobody begins with one.\n"
    for arguments, words in ((("1.5",), "whole number"), (("5", "--unit", "€"), "currency"), (("x",), "whole number")):
        refused = groups(app, "opening", "readers", *arguments)
        assert refused.exit_code != 0
        assert words in refused.output


def test_a_group_is_kept_to_models_and_not_any_more(app: Flask, readers: str) -> None:
    with transaction() as session:
        provider = Provider(kind="deepseek", name="DeepSeek", base_url="https://api.example.org", currency="CNY")
        session.add(provider)
        session.flush()
        names = ("flash", "pro")
        terms: dict[str, Any] = {"provider_id": provider.id, "thinking": False}
        session.add_all(ChatModel(name=name, label=name, **terms) for name in names)
    assert "Models: flash, pro\n" in groups(app, "access", "readers", "--model", "pro", "--model", "flash").output
    assert "Models: flash, pro\n" in groups(app, "access", "readers", "--no-api").output, "what is not named stays"
    assert "Models: all\n" in groups(app, "access", "readers", "--all-models").output
    for arguments, words in (
        (("--model", "nobody"), "nobody"),
        (("--model", "pro", "--all-models"), "or --all-models"),
    ):
        result = groups(app, "access", "readers", *arguments)
        assert result.exit_code in {1, 2}
        assert words in result.output


def test_a_group_is_supervised_and_not_any_more(app: Flask, readers: str, make_user: MakeUser) -> None:
    make_user("teacher")
    assert groups(app, "managers", "readers", "teacher").output == "teacher\n"
    assert groups(app, "supervise", "readers").output == "It is supervised.\n"
    assert group_service.by_name("readers").supervised_since
    assert groups(app, "supervise", "readers", "--off").output == "It is not supervised.\n"
