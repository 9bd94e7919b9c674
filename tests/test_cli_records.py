"""`flask usage overview`, `show` and `records`: what administrators read on their pages, from a terminal."""

import csv
import io
import json
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from flask import Flask

from flask_app import config
from flask_app.database import new_id, utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser
from tests.support import directory, gateway, ledger


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["usage", *arguments])


@pytest.fixture
def used(make_user: MakeUser) -> None:
    """Two people's answers: three by chat today, one by a program two days ago."""
    amina, ben = make_user("amina"), make_user("ben")
    ledger.write(ledger.entry(amina.id, utc_now()) for _ in range(3))
    other = {"channel": "api", "model": "m", "outcome": "stopped", "cost_micros": None, "currency": None}
    ledger.write([ledger.entry(ben.id, utc_now() - timedelta(days=2), **other)])


def test_the_site_at_a_glance(app: Flask, used: None) -> None:
    lines = run(app, "overview").output.splitlines()
    assert lines[0] == "People: 2, of whom 0 are here; 0 wait to be let in"
    assert lines[-7].split() == ["USED", "ANSWERS", "TOKENS", "COST"]
    assert lines[-6].split("  ")[0] == "today"
    assert lines[-6].split()[-4:] == ["3", "450", "0.003", "CNY"]
    assert lines[-3].split()[-4:] == ["4", "600", "0.003", "CNY"]


def test_the_glance_compares_with_the_time_before(app: Flask, used: None) -> None:
    today = utc_now().astimezone(ZoneInfo(config.current().site_timezone)).date()
    *_, now, before = run(app, "overview").output.splitlines()
    assert now.split() == [*_days(today - timedelta(days=29), today), "4", "600", "0.003", "CNY"]
    assert before.split() == [*_days(today - timedelta(days=59), today - timedelta(days=30)), "(before)", "0", "0", "-"]
    *_, now, before = run(app, "overview", "--from", f"{today - timedelta(days=1)}").output.splitlines()
    assert now.split()[3:5] == ["3", "450"]
    assert before.split()[:3] == _days(today - timedelta(days=3), today - timedelta(days=2))
    assert run(app, "overview", "--from", "2026-11-02", "--to", "2026-11-01").exit_code == 1


def _days(first: date, last: date) -> list[str]:
    return [first.isoformat(), "to", last.isoformat()]


def test_a_record_is_found_by_its_id(app: Flask, used: None) -> None:
    (entry, *_) = ledger.entries()
    for wanted in (entry.id, entry.attempt_id):
        (found,) = csv.DictReader(io.StringIO(run(app, "records", "--id", str(wanted)).output.removeprefix("\ufeff")))
        assert entry.id in found.values()
    assert len(run(app, "records", "--id", "nothing").output.splitlines()) == 1


def test_the_glance_tells_what_is_left_of_the_sites_budgets(app: Flask, used: None) -> None:
    assert "Budget of the site" not in run(app, "overview").output
    budget_admin_service.add(Actor(None), Place(scope="site", period="day"), 1_000)
    lines = run(app, "overview").output.splitlines()
    (told,) = [line for line in lines if line.startswith("Budget of the site")]
    assert told.startswith("Budget of the site (day): 1,000 left of 1,000, renews ")


@pytest.mark.parametrize(("by", "first"), [("user", "amina"), ("model", "deepseek-flash"), ("channel", "chat")])
def test_use_is_told_apart(app: Flask, used: None, by: str, first: str) -> None:
    head, line, other = run(app, "show", "--by", by).output.splitlines()
    assert head.split() == [by.upper(), "ANSWERS", "TOKENS", "COST"]
    assert line.split() == [first, "3", "450", "0.003", "CNY"]
    assert other.split()[-1] == "-", "what has no price costs nothing that is known"


def test_use_is_told_by_access_token(app: Flask, make_user: MakeUser) -> None:
    person = make_user("chen")
    token, gone = gateway.made(person, "Editor").token, new_id()
    day = {"day": budget_service.site_day(utc_now())}
    ledger.write(ledger.entry(person.id, utc_now(), channel="api", token_id=each, **day) for each in (token.id, gone))
    head, *lines = run(app, "tokens").output.splitlines()
    assert head.split() == ["PERSON", "TOKEN", "ID", "TOKENS", "COST"]
    assert ["chen", "Editor", token.id, "150", "0.001", "CNY"] in [line.split() for line in lines]
    assert ["-", gone, gone, "150", "0.001", "CNY"] in [line.split() for line in lines]
    assert len(run(app, "tokens", "--to", "2026-01-01").output.splitlines()) == 1


def test_use_of_some_days(app: Flask, used: None) -> None:
    today = f"{utc_now() + timedelta(hours=8):%Y-%m-%d}"
    lines = run(app, "show", "--from", today, "--to", today).output.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["amina"]
    assert run(app, "show", "--from", today, "--to", "2020-01-01").exit_code == 1


def test_records_are_a_file(app: Flask, used: None) -> None:
    rows = list(csv.DictReader(io.StringIO(run(app, "records").output.removeprefix("\ufeff"))))
    assert [row["username"] for row in rows] == ["amina", "amina", "amina", "ben"]
    assert rows[0]["total_tokens"] == "150"
    found = run(app, "records", "--user", "ben", "--channel", "api", "--outcome", "stopped", "--format", "jsonl").output
    (line,) = found.splitlines()
    assert json.loads(line)["user"]["username"] == "ben"
    assert run(app, "records", "--model", "none").output.count("\n") == 1
    assert run(app, "records", "--channel", "pigeon").exit_code == 2


def test_records_of_a_group(app: Flask, used: None) -> None:
    group_service.add(directory.HOUSE, Choices(name="Readers"))
    assert run(app, "records", "--group", "readers").output.count("\n") == 1
    assert "no such group" in run(app, "records", "--group", "Nowhere").output
