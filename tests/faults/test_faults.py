"""The short form of `make faults`: a quick fault of every row that has one, under load, with the oracle after each."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults import building, processes, report, seen
from tests.faults.campaign import Campaign
from tests.faults.kinds import FAULTS
from tests.faults.load import load
from tests.faults.site import Site
from tests.support.served import ROOT

SEED = 20261125


def chosen() -> list[str]:
    """One kind of every row, drawn from those that do not take long."""
    random = Random(SEED)
    kinds = [fault for fault in FAULTS.values() if not fault.is_long]
    return [random.choice([kind.name for kind in kinds if kind.row == row]) for row in {kind.row: 0 for kind in kinds}]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Site]:
    with building.running(tmp_path) as running:
        yield running


def test_nothing_is_lost_whatever_breaks(running: Site, subtests: pytest.Subtests) -> None:
    """One test, for starting the site takes longer than most faults."""
    for spoil, kind in seen.SPOILS:
        with subtests.test("the oracle sees", what=spoil.__name__):
            seen.assert_seen(running, spoil, kind)
    for what, statement in seen.MISCOUNTS.items():
        with subtests.test("the oracle sees a miscount of", what=what):
            seen.assert_miscount_seen(running, statement)
    with subtests.test("the oracle sees money that is shown otherwise than it was booked"):
        seen.assert_other_money_seen(running)
    with subtests.test("the oracle sees an estimate of less than there is to read"):
        seen.assert_lean_estimate_seen(running)
    with subtests.test("the oracle excuses no answer for what befell another's worker"):
        seen.assert_only_own_harm_excuses(running)
    with subtests.test("the oracle sees what went on with an answer"):
        seen.assert_rest_seen(running)
    campaign = Campaign(running)
    with load(running, SEED):
        for name in chosen():
            with subtests.test(name):
                campaign.happen(FAULTS[name], Random(name))
                assert campaign.is_clean, report.complaints(campaign)
        with subtests.test("rolling restart"), running.during("rolling restart"):
            processes.restart_all(running, 12, words=25)
    campaign.end(hurried=True)
    assert campaign.is_clean, report.complaints(campaign)
    with subtests.test("the oracle sees what a program was not told"):
        seen.assert_miscount_of_programs_seen(running)
    with subtests.test("the oracle sees an answer to a program that was broken off"):
        seen.assert_broken_program_seen(running)


def test_the_document_says_which_faults_there_are() -> None:
    document = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert [line for line in report.rows() if line not in document] == []
