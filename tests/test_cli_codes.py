"""`flask codes …`: redeem codes from a terminal."""

from click.testing import Result
from flask import Flask

from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import code_admin_service, code_service
from flask_app.services.budgets.code_admin_service import Terms
from flask_app.services.queries.paging import MAX_PAGE
from tests.support import limits


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["codes", *arguments])


def test_codes_are_made_listed_and_revoked(app: Flask, member: User) -> None:
    made = run(app, "make", "3", "12.50", "--unit", "cny", "--label", "flyers", "--expires", "2999-12-31")
    codes = made.stdout.splitlines()
    assert [len(code) for code in codes] == [19, 19, 19]
    batch = made.stderr.split()[-1]
    limits.balance(member, "CNY")
    code_service.redeem(Actor(member), member, codes[0])
    head, line = run(app, "list").output.splitlines()
    assert head.split() == ["BATCH", "LABEL", "CODES", "EACH", "OPEN", "REDEEMED", "REVOKED", "EXPIRED", "EXPIRES"]
    assert line.split() == [batch, "flyers", "3", "12.5", "CNY", "2", "1", "0", "0", "2999-12-31T16:00Z"]
    _, *lines = run(app, "list", batch).output.splitlines()
    rows = {row.split()[1]: row.split() for row in lines}
    assert rows[f"{codes[0][:4]}-…"][2:] == ["redeemed", "member"]
    assert rows[f"{codes[1][:4]}-…"][2:] == ["open", "-"]
    assert run(app, "revoke", rows[f"{codes[1][:4]}-…"][0]).output == "flyers: 1 open, 1 revoked\n"
    assert run(app, "revoke", batch).output == "flyers: 0 open, 2 revoked\n"


def test_more_than_a_page_of_batches_and_of_codes_is_listed(app: Flask) -> None:
    for number in range(MAX_PAGE):
        code_admin_service.make(Actor(None), Terms(label=f"batch {number}", count=1, unit="tokens", amount=5))
    made = code_admin_service.make(Actor(None), Terms(label="many", count=MAX_PAGE + 1, unit="tokens", amount=5))
    _, *batches = run(app, "list").output.splitlines()
    assert {line.split("  ")[1] for line in batches} == {"many", *(f"batch {number}" for number in range(MAX_PAGE))}
    _, *codes = run(app, "list", made.listed.batch.id).output.splitlines()
    assert len({line.split()[0] for line in codes}) == MAX_PAGE + 1


def test_what_makes_no_sense_is_said(app: Flask) -> None:
    label = ("--label", "flyers")
    for arguments, words in (
        (("make", "0", "5", *label), "1 to 1000 codes"),
        (("make", "1001", "5", *label), "1 to 1000 codes"),
        (("make", "x", "5", *label), "not a valid integer"),
        (("make", "1", "0", *label), "whole number from 1"),
        (("make", "1", "1.5", *label), "whole number of tokens"),
        (("make", "1", "5", "--unit", "€", *label), "currency"),
        (("make", "1", "5"), "--label"),
        (("make", "1", "5", *label, "--expires", "2020-01-01"), "today or later"),
        (("make", "1", "5", *label, "--expires", "soon"), "does not match the format"),
        (("list", "nothing"), "not"),
        (("revoke", "nothing"), "not"),
    ):
        result = run(app, *arguments)
        assert result.exit_code != 0, arguments
        assert words in result.output, arguments
