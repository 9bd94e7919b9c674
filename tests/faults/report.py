"""What came of the faults, as a table in Markdown."""

from tests.faults.campaign import NONE, Campaign, Tally
from tests.faults.kinds import FAULTS
from tests.faults.oracle import Difference

HEAD = (
    "fault",
    "of the row",
    "times",
    "answers",
    "ledger",
    "lost",
    "gaps",
    "cut off",
    "crossed",
    "promise broken",
    "programs broken off",
)


def table(campaign: Campaign) -> str:
    """A line for each kind, and their sum."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|" + "--:|" * (len(HEAD) - 2)]
    tallies = {name: tally for name, tally in campaign.tallies.items() if tally.times or tally.answers}
    lines += [_line(name, FAULTS[name].row if name in FAULTS else "", tally) for name, tally in tallies.items()]
    return "\n".join([*lines, _line("**together**", "", _sum(campaign))])


def rows() -> list[str]:
    """A line for each row of the fault matrix: which faults are of it."""
    kinds: dict[str, list[str]] = {}
    for fault in FAULTS.values():
        kinds.setdefault(fault.row, []).append(fault.name)
    return [f"| {row} | {' · '.join(names)} |" for row, names in kinds.items()]


def complaints(campaign: Campaign) -> list[str]:
    """What is wrong, in words."""
    found = [in_words(difference) for difference in _sum(campaign).differences]
    return found + [broken for tally in campaign.tallies.values() for broken in tally.broken_promises]


def in_words(difference: Difference) -> str:
    exchange = difference.exchange
    if exchange is None:
        return f"{difference.kind}: {difference.words}"
    run, faults = exchange.ids.get("run_id"), ", ".join(sorted(exchange.faults))
    told = f"{exchange.wish.tag} ({exchange.status}, run {run}, readings {exchange.readings}, {exchange.codes})"
    return f"{difference.kind}: {told} {difference.words}, during: {faults}"


def _sum(campaign: Campaign) -> Tally:
    tallies = campaign.tallies.values()
    return Tally(
        times=sum(tally.times for tally in tallies),
        answers=len(campaign.site.exchanges),
        broken_off=campaign.broken_off,
        broken_promises=[broken for tally in tallies for broken in tally.broken_promises],
        differences=list({id(found): found for tally in tallies for found in tally.differences}.values()),
    )


def _line(name: str, row: str, tally: Tally) -> str:
    crossed = sum(found.exchange.foreign_bytes for found in tally.differences if found.exchange)
    figures = (tally.times, tally.answers, *(tally.count(kind) for kind in ("ledger", "lost", "gap", "cut")), crossed)
    times = "" if name == NONE else figures[0]
    last = (len(tally.broken_promises), tally.broken_off)
    return f"| {name} | {row} | {times} | " + " | ".join(map(str, (*figures[1:], *last))) + " |"
