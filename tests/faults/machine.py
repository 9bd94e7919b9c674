"""What happens to the machine under an instance: its clock jumps, its disk is full."""

import time
from datetime import UTC, datetime, timedelta
from random import Random

from tests.faults.exchange import Exchange
from tests.faults.fault import fault
from tests.faults.instance import Instance
from tests.faults.site import Site
from tests.support import clocks
from tests.support.brokers import wait_until
from tests.support.disks import CAN_MOUNT, mounted

CLOCK = "clock ±1 h, DST"
FULL = "disk full"
HOUR = 3600
FELT_WITHIN = 60.0


class Clock:
    """The wall clock of one instance, which is started anew with it, and with these settings."""

    def __init__(self, instance: Instance, **settings: str) -> None:
        self._file = instance.folder / "clock"
        self.jump(0)
        instance.end()
        instance.start_again(
            LD_PRELOAD=clocks.library(),
            FAKETIME_TIMESTAMP_FILE=str(self._file),
            FAKETIME_CACHE_DURATION="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            **settings,
        )

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def jump(self, seconds: int) -> None:
        """So far from the clock of everybody else."""
        self._ahead = seconds
        clocks.set_ahead(self._file, seconds)


@fault(CLOCK, weight=1)
def clock_jumps_an_hour(site: Site, random: Random) -> None:
    """Of one instance alone, which is worse than of both: neither may take the other's answers for dead."""
    jumping, other = random.sample(site.instances, 2)
    clock = Clock(jumping)
    answers = [
        site.ask(user, words=36, rate=3, via=[instance.base_url])
        for user, instance in enumerate((jumping, other, jumping, other), start=1)
    ]
    for answer in answers:
        answer.wait_for_text()
    clock.jump(random.choice([HOUR, -HOUR]))
    assert [answer.wait() for answer in answers] == ["complete"] * 4, [answer.status for answer in answers]
    later = site.ask(1, via=[jumping.base_url])
    assert later.wait() == "complete", later.status
    jumping.end()


def journal_without_room(site: Site, random: Random) -> None:
    """The database is away as well: the answer is in memory alone, and nobody may be told that it is saved."""
    number = random.randrange(2)
    instance = site.instances[number]
    with mounted(instance.folder / "journal", "64k") as disk:
        disk.fill()
        answer = site.ask(random.randint(1, 4), words=40, via=[instance.base_url])
        answer.wait_for_text()
        site.database_line.refuse()
        wait_until(lambda: "not_saved_yet" in answer.codes)
        time.sleep(0.5)
        assert not answer.is_over, answer.status
        site.database_line.mend()
        assert answer.wait() == "complete", (answer.status, answer.codes)


def database_without_room(site: Site, random: Random) -> None:
    """What is acknowledged until the disk is full, and what is not, is seen by the oracle."""
    assert site.database_disk
    site.database_disk.fill()
    answers: list[Exchange] = []

    def is_felt() -> bool:
        """There may be room left in the database's own files."""
        answers.extend(site.ask(user, padding=100_000, insists=False) for user in (1, 2, 3, 4))
        time.sleep(random.uniform(0.5, 2))
        return any(answer.refusals or "not_saved_yet" in answer.codes for answer in answers)

    try:
        wait_until(is_felt, FELT_WITHIN)
    finally:
        site.database_disk.free()
        site.database.start_again()
    for answer in answers:  # one that was begun is saved as soon as there is room, and not before
        answer.wait()
    later = site.ask(1)
    assert later.wait() == "complete", (later.status, later.refusals)


if CAN_MOUNT:
    fault(FULL, weight=2)(journal_without_room)
    fault(FULL, weight=1)(database_without_room)
