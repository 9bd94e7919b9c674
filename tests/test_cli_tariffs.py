"""`flask tariffs …`: what models cost, from a terminal."""

import json

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from flask_app.cli_tariffs import tariffs
from flask_app.database import reading
from flask_app.models import AuditEntry, Tariff
from tests.support.administered_prices import YEAR
from tests.support.keys import keep_provider

TITLES = ["AT", "PEAK", "HOURS", "1,000", "REQUESTS"]


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(tariffs, arguments)


def test_a_price_is_added_and_listed(app: Flask) -> None:
    peak = ("--peak", "1", "2", "4", "--hours", "09:00-12:00", "--hours", "14:00-18:00", "--holidays", "cn")
    result = run(app, "add", "m", "usd", "0.5", "1", "2", "--from", f"{YEAR}-01-01T00:00+08:00", *peak)
    assert result.exit_code == 0, result.output
    assert result.output == f"From {YEAR - 1}-12-31T16:00Z: m 0.5 / 1 / 2 USD, at peak hours 1 / 2 / 4\n"
    with reading() as session:
        tariff = session.scalars(select(Tariff).where(Tariff.model == "m")).one()
        trace = session.scalars(select(AuditEntry)).one()
    assert (tariff.input_hit, tariff.peak_output, tariff.currency) == (500_000, 4_000_000, "USD")
    assert json.loads(tariff.calendar or "") == {
        "timezone": "Asia/Shanghai",
        "weekdays": [0, 1, 2, 3, 4],
        "hours": [["09:00", "12:00"], ["14:00", "18:00"]],
        "holidays": "CN",
        "peak_days": [],
        "off_peak_days": [],
    }
    assert (trace.actor_name, trace.action, trace.target) == ("(command line)", "tariff.add", tariff.id)

    assert run(app, "add", "m", "USD", "3", "3", "3").output.endswith("Z: m 3 / 3 / 3 USD\n")
    lines = run(app, "list", "m").output.splitlines()
    assert lines[0].split() == ["MODEL", "CURRENCY", "STATE", "FROM", "PRICE", *TITLES]
    assert [line.split()[2] for line in lines[1:]] == ["planned", "current"]
    assert lines[1].endswith(f"{YEAR - 1}-12-31T16:00Z  0.5 / 1 / 2  1 / 2 / 4      -")
    assert lines[2].endswith("3 / 3 / 3    - / - / -      -")


def test_requests_have_a_price_of_their_own(app: Flask) -> None:
    start = f"{YEAR}-01-01T00:00+08:00"
    told = run(app, "add", "m", "CNY", "0", "0", "0", "--requests", "0.75", "--from", start).output
    assert told == f"From {YEAR - 1}-12-31T16:00Z: m 0 / 0 / 0 CNY, for 1,000 requests 0.75\n"
    assert run(app, "list", "m").output.splitlines()[1].endswith("0 / 0 / 0  - / - / -      0.75")
    with reading() as session:
        assert session.scalars(select(Tariff.request_price).where(Tariff.model == "m")).all() == [750]
    peak = ("--peak", "1", "2", "4", "--hours", "09:00-12:00")
    told = run(app, "change", "m", "CNY", start, "0.5", "1", "2", "--requests", "5", *peak).output
    assert told.endswith("m 0.5 / 1 / 2 CNY, at peak hours 1 / 2 / 4, for 1,000 requests 5\n")
    assert run(app, "change", "m", "CNY", start, "1", "1", "1").output.endswith("m 1 / 1 / 1 CNY\n")


def test_every_shipped_price_is_listed(app: Flask) -> None:
    output = run(app, "list").output
    assert output.count("deepseek-v4-flash ") == 5
    assert "0.02 / 1 / 4" in output
    searches = [line.split() for line in output.splitlines() if line.startswith("deepseek-search")]
    assert {(line[1], line[2], line[-1]) for line in searches} == {("CNY", "current", "5"), ("USD", "current", "0.75")}


def test_a_model_that_is_offered_without_a_price_is_listed_too(app: Flask) -> None:
    keep_provider("In euros", "https://example.com", models=["dear"], currency="EUR")
    assert run(app, "list", "dear").output.splitlines()[1].split() == ["dear", "-", "unpriced", "-", "-", "-", "-"]
    assert run(app, "add", "dear", "USD", "1", "1", "1").exit_code == 0
    states = [line.split()[1:3] for line in run(app, "list", "dear").output.splitlines()[1:]]
    assert states == [["USD", "current"], ["-", "unpriced"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("1", "2", "-"), "“-” is not a price"),
        (("1", "2"), "takes 3 values"),
        (("1", "2", "3", "--requests", "0.0001"), "“0.0001” for 1,000 requests"),
        (("1", "2", "3", "--requests", "x"), "“x” is not a price"),
        (("1", "2", "3", "--from", "2027-01-01"), "time with its zone"),
        (("1", "2", "3", "--from", "soon"), "time with its zone"),
        (("1", "2", "3", "--peak", "1", "2", "3"), "is no span within a day"),
        (("1", "2", "3", "--peak", "1", "2", "3", "--hours", "9-12"), "“9-12” is no span"),
        (("1", "2", "3", "--peak", "1", "2", "3", "--hours", "09:00-12:00", "--holidays", "XX"), "“XX” are not known"),
    ],
)
def test_what_makes_no_sense_is_said(app: Flask, arguments: tuple[str, ...], words: str) -> None:
    result = run(app, "add", "m", "CNY", *arguments)
    assert result.exit_code != 0
    assert words in result.output


def test_a_planned_price_is_taken_back_and_one_in_force_is_not(app: Flask) -> None:
    run(app, "add", "m", "USD", "0.5", "1", "2", "--from", f"{YEAR}-01-01T00:00+08:00")
    assert run(app, "remove", "m", "usd", f"{YEAR - 1}-12-31T16:00+00:00").exit_code == 0
    assert "planned" not in run(app, "list", "m").output
    assert run(app, "remove", "m", "USD", f"{YEAR}-01-01T00:00+08:00").exit_code == 1
    run(app, "add", "m", "USD", "0.5", "1", "2")
    with reading() as session:
        began = session.scalars(select(Tariff.starts_at).where(Tariff.model == "m")).one()
    assert "in force" in run(app, "remove", "m", "USD", began.isoformat()).output


def test_a_planned_price_is_corrected_in_its_place(app: Flask) -> None:
    start, later = f"{YEAR}-01-01T00:00+08:00", f"{YEAR}-02-01T00:00+08:00"
    run(app, "add", "m", "USD", "0.5", "1", "2", "--from", start, "--peak", "1", "2", "4", "--hours", "09:00-12:00")
    with reading() as session:
        planned = session.scalars(select(Tariff.id).where(Tariff.model == "m")).one()
    corrected = run(app, "change", "m", "usd", start, "0.5", "1", "3")
    assert corrected.output == f"From {YEAR - 1}-12-31T16:00Z: m 0.5 / 1 / 3 USD\n"
    assert run(app, "change", "m", "USD", start, "0.5", "1", "3", "--from", later).exit_code == 0
    with reading() as session:
        kept = session.scalars(select(Tariff).where(Tariff.model == "m")).one()
    assert (kept.id, kept.output, kept.calendar) == (planned, 3_000_000, None)
    assert "begins then" in run(app, "change", "m", "USD", start, "1", "1", "1").output
    run(app, "add", "m", "USD", "1", "1", "1")
    with reading() as session:
        began = session.scalars(select(Tariff.starts_at).where(Tariff.model == "m", Tariff.output == 1_000_000)).one()
    assert "in force" in run(app, "change", "m", "USD", began.isoformat(), "2", "2", "2").output
