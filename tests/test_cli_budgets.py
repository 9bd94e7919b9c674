"""`flask budgets …`: limits from a terminal."""

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import AuditEntry, Budget, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.tokens import token_budget_service
from flask_app.services.tokens.token_budget_service import Cap
from tests.support import gateway


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["budgets", *arguments])


def test_limits_are_set_listed_changed_and_deleted(app: Flask, member: User) -> None:
    group_service.add(Actor(None), Choices(name="Club"))
    assert run(app, "set", "day", "100000").output == "the site, day: 100,000\n"
    assert run(app, "set", "month", "20.50", "--unit", "cny", "--user", "member").output == "member, month: 20.5 CNY\n"
    assert run(app, "set", "week", "5", "--group", "Club", "--warn").output == "Club, week: 5\n"
    assert run(app, "set", "week", "7", "--group", "Club", "--each").output == "each of Club, week: 7\n"
    assert run(app, "set", "day", "200000").output == "the site, day: 200,000\n"
    head, *lines = run(app, "list").output.splitlines()
    assert head.split() == ["FOR", "PERIOD", "LIMIT", "USED", "RESERVED", "LEFT", "WHEN", "USED", "UP", "RENEWS"]
    assert [" ".join(line.split()[:-1]) for line in lines] == [
        "each of Club week 7 - - - refused",
        "Club week 5 0 0 5 shown",
        "member month 20.5 CNY 0 CNY 0 CNY 20.5 CNY refused",
        "the site day 200,000 0 0 200,000 refused",
    ]
    assert run(app, "delete", "day").output == "Deleted.\n"
    assert run(app, "delete", "day").exit_code == 1
    with reading() as session:
        assert len(session.scalars(select(Budget)).all()) == 3
        actors = session.execute(select(AuditEntry.actor_name, AuditEntry.action)).all()
    assert {name for name, _ in actors} == {"(command line)"}
    assert [action for _, action in actors].count("budget.change") == 1


def test_the_top_ups_of_a_balance_are_listed(app: Flask, admin: User, member: User) -> None:
    assert run(app, "topups", "--user", "member").exit_code == 1, "there is no balance"
    run(app, "topup", "1000", "--user", "member", "--reason", "welcome")
    run(app, "topup", "-200", "--user", "member", "--reason", "by mistake")
    budget_id = budget_admin_service.find(Place(scope="user", scope_id=member.id, period="prepaid"))
    assert budget_id
    budget_admin_service.top_up(Actor(admin), budget_id, 5, "for a test")
    head, *lines = run(app, "topups", "--user", "member").stdout.splitlines()
    assert head.split() == ["WHEN", "AMOUNT", "BY", "WHY"]
    assert [" ".join(line.split()[1:]) for line in lines] == [
        "5 admin for a test",
        "-200 - by mistake",
        "1,000 - welcome",
    ]
    newest = run(app, "topups", "--user", "member", "--limit", "1")
    older = run(app, "topups", "--user", "member", "--before", newest.stderr.split()[-1])
    both = [*newest.stdout.splitlines()[1:], *older.stdout.splitlines()[1:]]
    assert [line.split() for line in both] == [line.split() for line in lines]


def test_a_tokens_limit_is_listed_with_whose_it_is(app: Flask, member: User) -> None:
    token = gateway.made(member, "nightly").token
    token_budget_service.put(Actor(member), token.id, Cap(unit="tokens", period="week", limit=5_000))
    _, line = run(app, "list").output.splitlines()
    assert " ".join(line.split()[:-1]) == "member, token nightly week 5,000 0 0 5,000 refused"


def test_what_makes_no_sense_is_said(app: Flask, member: User) -> None:
    for arguments, words in (
        (("day", "x"), "whole number of tokens"),
        (("day", "1.5"), "whole number of tokens"),
        (("year", "1"), "'year' is not one of"),
        (("day", "1", "--unit", "€"), "currency"),
        (("day", "-", "--unit", "EUR"), "is not a price"),
        (("day", "1", "--user", "nobody"), "nobody"),
        (("day", "1", "--group", "Nowhere"), "There is no such group"),
        (("day", "1", "--each"), "give --user"),
        (("day", "1", "--user", "member", "--group", "Everyone"), "give --user"),
    ):
        result = run(app, "set", *arguments)
        assert result.exit_code != 0, arguments
        assert words in result.output, arguments
    with reading() as session:
        assert session.scalars(select(Budget)).all() == []


def test_a_balance_is_made_topped_up_and_taken_back(app: Flask, member: User) -> None:
    assert run(app, "topup", "1000", "--reason", "paid").output == "the site: 1,000 left\n"
    assert run(app, "topup", "500", "--reason", "more").output == "the site: 1,500 left\n"
    assert run(app, "topup", "-200", "--reason", "by mistake").output == "the site: 1,300 left\n"
    money = ("--unit", "cny", "--user", "member", "--reason", "paid")
    assert run(app, "topup", "12.30", *money).output == "member: 12.3 CNY left\n"
    _, *lines = run(app, "list").output.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "member prepaid 12.3 CNY 0 CNY 0 CNY 12.3 CNY refused never",
        "the site prepaid 1,300 0 0 1,300 refused never",
    ]
    for arguments, words in (
        (("-1301", "--reason", "x"), "That much is not left"),
        (("x", "--reason", "x"), "whole number of tokens"),
        (("--5", "--reason", "x"), "whole number of tokens"),
        (("5",), "--reason"),
        (("5", "--reason", " "), "Give a reason"),
        (("0", "--reason", "x"), "other than 0"),
        (("5", "--reason", "x", "--user", "nobody"), "nobody"),
        (("-5", "--reason", "x", "--user", "member"), "from 1 to"),
    ):
        result = run(app, "topup", *arguments)
        assert result.exit_code != 0, arguments
        assert words in result.output, arguments
    assert run(app, "delete", "prepaid").output == "Deleted.\n"
    assert run(app, "set", "prepaid", "5").exit_code == 2
