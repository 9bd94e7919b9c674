"""Time zones by their IANA names: which are accepted, and which a person is offered."""

from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

# In the database's folder, but no place: the machine's own zone, and the one of a machine that was not set up.
_NO_PLACES = frozenset({"localtime", "Factory"})


def is_known(name: str) -> bool:
    """Is this a zone that browsers know as well? Paths and the folders posix/ and right/ are none."""
    return name in _known()


@cache
def offered() -> tuple[str, ...]:
    """One name for each region and city of the time zone database, sorted, and UTC; former names are left out."""
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    places = {line.split("\t")[2] for line in lines if not line.startswith("#")}
    return (*sorted(places & _known()), "UTC")


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)
