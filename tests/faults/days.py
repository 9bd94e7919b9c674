"""What happens to the site's day: its zone's clocks change at midnight, and the clock itself jumps over it."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random

from tests.faults import books, zones
from tests.faults.exchange import Exchange
from tests.faults.fault import fault
from tests.faults.machine import CLOCK, HOUR, Clock
from tests.faults.site import Site
from tests.support.served import Visitor

LEAD_SECONDS = 10  # before midnight: for the clock's jump to be noticed, and an answer to begin
NOTICED_SECONDS = 2.5  # whole seconds of the clock: it is looked at anew once more than one has gone by
TRIES = 40

_ENTRIES = (
    "SELECT a.created_at, a.day AS reserved, t.day AS booked"
    " FROM proxy_logs a JOIN token_usage t ON t.attempt_id = a.id WHERE a.run_id = :run"
)
_LEDGER = "SELECT created_at, prompt_tokens + completion_tokens AS tokens FROM token_usage WHERE user_id = :user"


class Traveller:
    """A person who asks one instance alone, whose clock and zone are its own."""

    def __init__(self, site: Site, user: int, address: str, today: Callable[[], date], zone: zones.Zone) -> None:
        self._site, self._user, self._address = site, user, address
        self._reader = Visitor(address, site.people[user].headers)
        self._today, self._zone = today, zone
        self.asked: list[Exchange] = []

    def ask(self, *, words: int = 4, rate: int = 60) -> Exchange:
        answer = self._site.ask(self._user, words=words, rate=rate, via=[self._address])
        self.asked.append(answer)
        return answer

    def look(self, clock: Clock, begins: list[datetime]) -> None:
        """Ask, and compare the day's budget and the days that are shown with the ledger.

        `begins` are the moments when days begin, in turn: the next one is when the budget renews.
        """
        answer = self.ask()
        assert answer.wait() == "complete", answer.status
        shown, kept = books.compared(self._site, self._user, self._reader, self._today)
        assert shown == kept, (shown, kept)
        before = clock.now
        (day,) = [each for each in self._reader.get("/api/budgets").json()["budgets"] if each["period"] == "day"]
        next_days = {next(moment for moment in begins if moment > now) for now in (before, clock.now)}
        assert datetime.fromisoformat(day["renews_at"]) in next_days, (day, next_days)
        self._compare_days()

    def days(self) -> list[date]:
        """Those of what was asked, in turn: as reserved, as booked, and as its moment has it in the zone."""
        found = []
        for answer in self.asked:
            (entry,) = self._site.rows(_ENTRIES, run=answer.ids["run_id"])
            assert entry.booked == entry.reserved == self._zone.day_of(entry.created_at.replace(tzinfo=UTC))
            found.append(entry.booked)
        return found

    def _compare_days(self) -> None:
        """Looked at again where the ledger grew meanwhile."""
        shown: dict[str, int] = {}
        before = self._by_day()
        for _ in range(TRIES):
            days = self._reader.get("/api/usage/summary").json()["days"]
            shown = {day["date"]: day["total_tokens"] for day in days if day["total_tokens"]}
            after = self._by_day()
            if before == after:
                break
            before = after
        assert shown == before, (shown, before)

    def _by_day(self) -> dict[str, int]:
        """Up to today: a clock that was set back has left entries of a day that is still to come."""
        sums: Counter[date] = Counter()
        for entry in self._site.rows(_LEDGER, user=self._site.ids[self._user]):
            sums[self._zone.day_of(entry.created_at.replace(tzinfo=UTC))] += entry.tokens
        return {day.isoformat(): tokens for day, tokens in sums.items() if day <= self._today()}


def _midnight_changes(site: Site, random: Random, hours: int) -> None:
    """Of one instance alone: no answer's day may be lost, or counted twice, on either side of it."""
    instance = random.choice(site.instances)
    midnight = zones.next_quarter(datetime.now(UTC))
    zone = zones.made(instance.folder / "zones", midnight, hours)
    clock = Clock(instance, SITE_TIMEZONE=zone.name, PYTHONTZPATH=str(zone.folder))
    try:
        traveller = Traveller(site, random.randint(1, 4), instance.base_url, lambda: zone.day_of(clock.now), zone)
        _live_through(traveller, clock, midnight, hours)
        first, *days = traveller.days()
        before, after = first, first + timedelta(days={-1: 0, 1: 1, 24: 2}[hours])
        later = before + timedelta(days=1) if hours < 0 else after
        assert days == [before, after, later, after], days
    finally:
        instance.end()


def _live_through(traveller: Traveller, clock: Clock, midnight: datetime, hours: int) -> None:
    ahead = round((midnight - clock.now).total_seconds()) - LEAD_SECONDS
    clock.jump(ahead)
    time.sleep(NOTICED_SECONDS)
    across = traveller.ask(words=52, rate=5)  # well within UPSTREAM_TOTAL_SECONDS
    across.wait_for_text()
    first = midnight + timedelta(hours=max(-hours, 0))  # where there are two, the second
    second = first + timedelta(hours=23 if hours == 1 else 24)
    begins = [first, second, second + timedelta(hours=24)]
    traveller.look(clock, begins)
    time.sleep(max((midnight - clock.now).total_seconds(), 0) + NOTICED_SECONDS)
    traveller.look(clock, begins)
    clock.jump(ahead + HOUR)
    time.sleep(NOTICED_SECONDS)
    traveller.look(clock, begins)
    clock.jump(ahead)  # back, over the second midnight where there are two
    time.sleep(NOTICED_SECONDS)
    traveller.look(clock, begins)
    assert across.wait() == "complete", across.status


@fault(CLOCK, weight=1)
def midnight_comes_twice(site: Site, random: Random) -> None:
    _midnight_changes(site, random, -1)


@fault(CLOCK, weight=1)
def midnight_is_left_out(site: Site, random: Random) -> None:
    _midnight_changes(site, random, 1)


@fault(CLOCK, weight=1)
def a_day_is_left_out(site: Site, random: Random) -> None:
    """As in Samoa at the end of 2011."""
    _midnight_changes(site, random, 24)
