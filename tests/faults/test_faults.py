"""The short form of `make faults`: a quick fault of every row that has one, under load, with the oracle after each."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults import books, processes, programs, report, site
from tests.faults.campaign import Campaign
from tests.faults.exchange import Exchange
from tests.faults.kinds import FAULTS
from tests.faults.load import load
from tests.faults.oracle import Kind, Oracle
from tests.faults.programs import Program
from tests.faults.site import Site
from tests.support.served import ROOT

SEED = 20261125

Spoil = Callable[[pytest.MonkeyPatch, Site, Exchange], None]


def chosen() -> list[str]:
    """One kind of every row, drawn from those that do not take long."""
    random = Random(SEED)
    kinds = [fault for fault in FAULTS.values() if not fault.is_long]
    return [random.choice([kind.name for kind in kinds if kind.row == row]) for row in {kind.row: 0 for kind in kinds}]


def a_repeated_event(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    patch.setattr(exchange, "gaps", 1)


def a_word_left_out(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    first, _, *rest = exchange.text.split(" ")
    patch.setattr(exchange, "text", " ".join([first, *rest]))


def a_word_of_somebody_else(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    patch.setattr(exchange, "heard", "u4q1w1")


def another_message(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    patch.setattr(exchange, "ids", exchange.ids | {"message_id": "nobody's"})


def one_token_more(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    (request,) = site.requests(exchange)
    assert request.usage_sent
    usage = dataclasses.replace(request.usage_sent, completion=request.usage_sent.completion + 1)
    patch.setattr(request, "usage_sent", usage)


def a_request_unknown_to_the_provider(patch: pytest.MonkeyPatch, site: Site, exchange: Exchange) -> None:
    (request,) = site.requests(exchange)
    patch.setattr(request, "body", {})


SPOILS: list[tuple[Spoil, Kind]] = [
    (a_repeated_event, "gap"),
    (a_word_left_out, "gap"),
    (a_word_of_somebody_else, "foreign"),
    (another_message, "lost"),
    (one_token_more, "ledger"),
    (a_request_unknown_to_the_provider, "ledger"),
]


# What must be seen by whoever compares the money: a micro-unit too much somewhere.
MISCOUNTS = {
    "a balance": "UPDATE budgets SET amount = amount + ({change}) WHERE period = 'prepaid' LIMIT 1",
    "what was spent in a day": "UPDATE spent_daily SET amount = amount + ({change}) WHERE scope = 'user' LIMIT 1",
    "the roll-up": "UPDATE usage_hourly SET cost_micros = cost_micros + ({change}) WHERE slice = 'site_day' LIMIT 1",
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Site]:
    with site.running(tmp_path) as running:
        yield running


def test_nothing_is_lost_whatever_breaks(running: Site, subtests: pytest.Subtests) -> None:
    """One test, for starting the site takes longer than most faults."""
    for spoil, kind in SPOILS:
        with subtests.test("the oracle sees", what=spoil.__name__):
            assert_seen(running, spoil, kind)
    for what, statement in MISCOUNTS.items():
        with subtests.test("the oracle sees a miscount of", what=what):
            assert_miscount_seen(running, statement)
    with subtests.test("the oracle sees an estimate of less than there is to read"):
        assert_lean_estimate_seen(running)
    campaign = Campaign(running)
    with load(running, SEED) as asked:
        for name in chosen():
            with subtests.test(name):
                campaign.happen(FAULTS[name], Random(name))
                assert campaign.is_clean, report.complaints(campaign)
        with subtests.test("rolling restart"), running.during("rolling restart"):
            processes.restart_all(running, 12, words=25)
    campaign.end(asked, hurried=True)
    assert campaign.is_clean, report.complaints(campaign)
    with subtests.test("the oracle sees what a program was not told"):
        assert_miscount_of_programs_seen(running, asked)


def test_the_document_says_which_faults_there_are() -> None:
    document = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert [line for line in report.rows() if line not in document] == []


def assert_seen(running: Site, spoil: Spoil, kind: Kind) -> None:
    exchange = running.ask(1, words=8)
    assert exchange.wait() == "complete"
    assert found_about(exchange, running) == set()
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch, running, exchange)
        assert kind in found_about(exchange, running)


def assert_miscount_seen(running: Site, statement: str) -> None:
    found = []
    for change in (1, -1):
        running.execute(statement.format(change=change))
        found.append(bool(books.unbalanced(running) or books.unverified()))
    assert found == [True, False]


def assert_lean_estimate_seen(running: Site) -> None:
    exchange = running.ask(1, words=8, fault="no-usage")
    assert exchange.wait() == "complete"
    found = []
    for change in (0, -1, 1):
        running.execute(
            f"UPDATE token_usage SET completion_tokens = completion_tokens + ({change}) WHERE source = 'estimated'"
        )
        found.append(found_about(exchange, running))
    assert found == [set(), {"ledger"}, set()]


def assert_miscount_of_programs_seen(running: Site, asked: list[Program]) -> None:
    assert any(call.told for program in asked for call in program.calls)
    entry = "WHERE channel = 'api' AND source = 'reported' ORDER BY id LIMIT 1"
    found = []
    for change in (1, -1):
        running.execute(f"UPDATE token_usage SET completion_tokens = completion_tokens + ({change}) {entry}")
        found.append(len(list(programs.differences(running, asked))))
    assert found == [2, 0], "once of the attempt, once of what was told"


def found_about(exchange: Exchange, running: Site) -> set[Kind]:
    return {found.kind for found in Oracle(running).examine() if found.exchange is exchange}
