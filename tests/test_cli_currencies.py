"""From a terminal too, money that could never be counted is refused; `flask doctor` names what was made before."""

import pytest
from click.testing import Result
from flask import Flask

from flask_app.models import DEFAULT_GROUP_ID, User
from tests.conftest import MakeUser
from tests.support import gateway, odd_money
from tests.support.keys import keep_key, keep_provider


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("budgets", "set", "day", "0.001", "--user", "member"),
        ("budgets", "topup", "20", "--reason", "paid"),
        ("codes", "make", "1", "5", "--label", "flyers"),
        ("groups", "opening", "Everyone", "5"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_limit_is_in_a_currency_that_is_billed_here(app: Flask, member: User, arguments: tuple[str, ...]) -> None:
    for unit, words in (
        ("CYN", "Nothing is billed in CYN here. There are keys or prices in: CNY, USD."),
        ("XXX", "Nothing is billed in XXX here."),
        ("rmb", "Write CNY instead of RMB"),
        ("¥", "such as CNY"),
    ):
        refused = run(app, *arguments, "--unit", unit)
        assert refused.exit_code != 0, unit
        assert words in refused.output, unit
    assert run(app, *arguments, "--unit", "cny").exit_code == 0


def test_a_price_is_in_a_currency_that_there_is(app: Flask) -> None:
    refused = run(app, "tariffs", "add", "m", "CYN", "1", "1", "1")
    assert (refused.exit_code, "There is no currency CYN." in refused.output) == (1, True)
    assert run(app, "tariffs", "add", "m", "CHF", "1", "1", "1").exit_code == 0


def test_a_limit_in_which_no_key_bills_is_made_with_a_note(app: Flask, member: User) -> None:
    keep_key(keep_provider("own", "https://own.example.com", currency="CNY"), "yuan")
    note = "No key bills in USD: it limits nothing until one does.\n"
    for arguments in (
        ("budgets", "set", "day", "1", "--user", "member"),
        ("budgets", "topup", "1", "--reason", "paid"),
        ("groups", "opening", "Everyone", "1"),
    ):
        assert run(app, *arguments, "--unit", "USD").stderr == note, arguments
        assert run(app, *arguments, "--unit", "CNY").stderr == "", arguments
    assert note in run(app, "codes", "make", "1", "1", "--label", "flyers", "--unit", "USD").stderr


def test_what_is_there_in_an_odd_currency_is_listed_changed_and_deleted(app: Flask, member: User) -> None:
    odd_money.keep("RMB", scope="user", scope_id=member.id)
    where = ("day", "--unit", "RMB", "--user", "member")
    assert "0.001 RMB" in run(app, "budgets", "list").output
    assert run(app, "budgets", "set", *where[:1], "2", *where[1:]).stdout == "member, day: 2 RMB\n"
    assert run(app, "budgets", "delete", *where).output == "Deleted.\n"


def test_the_doctor_names_limits_in_which_no_key_bills(app: Flask, member: User, make_user: MakeUser) -> None:
    odd_money.keep("CYN", scope="user", scope_id=member.id)
    odd_money.keep("RMB", scope="user", scope_id=member.id, period="prepaid", amount=0)
    odd_money.keep("XXX", scope="member", scope_id=DEFAULT_GROUP_ID)
    odd_money.keep("GBP", period="month")
    odd_money.keep("SEK", scope="user", scope_id=make_user("$(id)").id)
    odd_money.keep("CNY", period="month")
    odd_money.keep("tokens", period="month")
    odd_money.keep("EUR", scope="token", scope_id=gateway.made(member, "nightly").token.id, period="total")
    odd_money.keep_opening(DEFAULT_GROUP_ID, "CYN")
    assert "no key bills" not in run(app, "doctor").output, "without any key that alone is said"
    keep_key(keep_provider("own", "https://127.0.0.1:1", currency="CNY"), "yuan")
    said = run(app, "doctor").output
    for what, way in (
        ("budget (day) of member: no key bills in CYN", "flask budgets delete day --unit CYN --user member\n"),
        ("balance of member: no key bills in RMB", "flask budgets delete prepaid --unit RMB --user member\n"),
        ("budget (day) of each of Everyone: no key bills in XXX", "--unit XXX --group Everyone --each\n"),
        ("budget (day) of $(id): no key bills in SEK", "--unit SEK --user '$(id)'\n"),
        ("budget (month) of the site: no key bills in GBP", "flask budgets delete month --unit GBP\n"),
        ("budget (total) of member's access token nightly: no key bills in EUR", "(API access)\n"),
        ("opening balance of Everyone: no key bills in CYN", "flask groups opening Everyone AMOUNT --unit CNY\n"),
    ):
        assert f"warning {what}\n" in said
        assert said.partition(what)[2].split("\n")[1].endswith(way.strip())
    assert said.count("no key bills in") == 7
