"""`make faults`: faults drawn at random under load, the oracle after each, a table at the end.

FAULTS is how many (1000), SEED what is drawn, ONLY a part of the names of those to draw from, REPORT a document for
the table. The exit status tells whether everything was in order.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.faults import building, programs, report
from tests.faults.campaign import Campaign
from tests.faults.fault import Fault
from tests.faults.kinds import FAULTS
from tests.faults.load import load
from tests.support import marks
from tests.support.disks import CAN_MOUNT


def main() -> None:
    count = int(os.environ.get("FAULTS") or 1000)
    seed = int(os.environ.get("SEED") or time.time_ns() % 100_000)
    random = Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="faults"))
    print(f"{count} faults, SEED={seed}; logs are in {folder}", flush=True)
    if not CAN_MOUNT:
        sys.exit("Disks that are full are small ones, which only root can mount: run this as root.")
    began = time.monotonic()
    with building.running(folder) as running:
        campaign = Campaign(running)
        with load(running, seed):
            for number, fault in enumerate(drawn(random, count), start=1):
                _happen(campaign, fault, random, f"{number}/{count}")
        campaign.end()
        _tell(campaign, count, seed, time.monotonic() - began)
    sys.exit(0 if campaign.is_clean else 1)


def drawn(random: Random, count: int) -> list[Fault]:
    """Every kind at least once where they are that many, then by weight."""
    kinds = [fault for fault in FAULTS.values() if os.environ.get("ONLY", "") in fault.name]
    faults = random.sample(kinds, min(count, len(kinds)))
    faults += random.choices(kinds, [fault.weight for fault in kinds], k=count - len(faults))
    return faults


def _happen(campaign: Campaign, fault: Fault, random: Random, place: str) -> None:
    before, began = set(report.complaints(campaign)), time.monotonic()
    campaign.happen(fault, random)
    fresh = [complaint for complaint in report.complaints(campaign) if complaint not in before]
    print(f"{place} {fault.name}: {time.monotonic() - began:.1f} s, {'see below' if fresh else 'ok'}", flush=True)
    print(*fresh, sep="\n", end="\n" if fresh else "", flush=True)


def _tell(campaign: Campaign, count: int, seed: int, seconds: float) -> None:
    oracle = campaign.oracle
    crashes = campaign.site.database.crashes
    crashed = f" MariaDB crashed by itself {crashes} times, and was started again." if crashes else ""
    rests = [exchange for exchange in campaign.site.exchanges if exchange.rest]
    said = (
        f"`make faults FAULTS={count} SEED={seed}`, {datetime.now(UTC):%Y-%m-%d}: {seconds / 60:.0f} minutes,"
        f" {len(campaign.site.exchanges)} answers asked for by people, {len(rests)} of them gone on with,"
        f" {oracle.prefixes()} as prefixes; {oracle.requests()} requests to the providers,"
        f" {oracle.attempts} attempts for people, {oracle.estimates} of them estimated,"
        f" {programs.count(campaign.site)} attempts for programs.{crashed}\n\n{report.table(campaign)}"
    )
    print(said)
    print(*report.complaints(campaign), sep="\n")
    if document := os.environ.get("REPORT"):
        marks.fill(Path(document), "make faults", said)


if __name__ == "__main__":
    main()
