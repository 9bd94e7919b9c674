"""Faults one after the other under load, the oracle after each, and what came of them."""

import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.faults import books, programs, sums
from tests.faults.fault import FAULTS, Fault
from tests.faults.oracle import Difference, Kind, Oracle
from tests.faults.site import Site

END_SECONDS = 120
NONE = "no fault"


@dataclass
class Tally:
    """What came of one kind of fault. `broken_off` are answers to programs that were told of no end."""

    times: int = 0
    seconds: float = 0.0
    answers: int = 0
    broken_off: int = 0
    broken_promises: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def count(self, kind: Kind) -> int:
        return sum(difference.kind == kind for difference in self.differences)


class Campaign:
    """`broken_off` is how many answers to programs were, once it has ended."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.broken_off = 0
        self.oracle = Oracle(site)
        self.tallies = {name: Tally() for name in (*FAULTS, NONE)}
        self._told: set[str] = set()  # what is wrong with the ledger as a whole is told once

    def happen(self, fault: Fault, random: Random) -> Tally:
        """Have the fault, mend the site, and ask the oracle."""
        tally, began = self.tallies[fault.name], time.monotonic()
        with self.site.during(fault.name):
            try:
                fault.happen(self.site, random)
            except Exception as error:  # noqa: BLE001 - the promise of its row is broken, whatever came of it
                tally.broken_promises.append("".join(traceback.format_exception(error)))
            finally:
                self.site.mend()
        tally.times += 1
        tally.seconds += time.monotonic() - began
        self._note(self.oracle.examine())
        self._note([*sums.compare(self.site), *books.unbalanced(self.site), *books.unverified()], fault.name)
        return tally

    def end(self, *, hurried: bool = False) -> None:
        """Nobody asks any more: wait until everything is settled, and look at the ledger as a whole.

        In a hurry the leases of dead workers run out now.
        """
        deadline = time.monotonic() + END_SECONDS
        if hurried:
            self.site.execute("UPDATE runs SET lease_expires_at = '2000-01-01' WHERE status = 'running'")
        while not self.oracle.is_done and time.monotonic() < deadline:
            self._note(self.oracle.examine())
            time.sleep(0.2)
        programs.wait_until_settled(self.site, deadline)
        self._note(programs.differences(self.site))
        self._note(sums.compare(self.site))
        self._note(sums.unsound(self.site))
        self._note([*books.unbalanced(self.site, least=1), *books.differing_files(self.site), *books.unverified()])
        self.site.instances[0].server.assert_sound_ledger()
        self._note(self._unclaimed())
        for exchange in self.site.exchanges:
            for name in exchange.faults or {NONE}:
                self.tallies[name].answers += 1
        broken_off = programs.broken_off(self.site)
        self.broken_off = len(broken_off)
        for call in broken_off:
            for name in call.faults or {NONE}:
                self.tallies[name].broken_off += 1

    @property
    def is_clean(self) -> bool:
        return not any(tally.differences or tally.broken_promises for tally in self.tallies.values())

    def _unclaimed(self) -> Iterator[Difference]:
        attempts = self.site.rows("SELECT count(*) AS number FROM proxy_logs WHERE channel <> 'api'")[0].number
        if attempts != self.oracle.attempts:
            yield Difference("ledger", None, f"{attempts} attempts, of which {self.oracle.attempts} have a reader")
        if strangers := self.oracle.strangers():
            yield Difference("ledger", None, f"{strangers} requests to the providers that nobody had asked for")

    def _note(self, differences: Iterable[Difference], fault: str = NONE) -> None:
        """`fault` came before those that are of no exchange."""
        for difference in differences:
            if difference.exchange is None and difference.words in self._told:
                continue
            self._told.add(difference.words)
            names = difference.exchange.faults if difference.exchange else {fault}
            for name in names or {NONE}:
                self.tallies[name].differences.append(difference)
