"""Ids as `flask_app.database.new_id` makes them, of any moment and from a seed."""

from datetime import UTC, datetime
from random import Random

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [one + other for one in _ALPHABET for other in _ALPHABET]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make_id(random: Random, moment: datetime) -> str:
    return id_of(random, int((moment - _EPOCH).total_seconds() * 1000))


def id_of(random: Random, milliseconds: int) -> str:
    """Of a moment counted from 1970."""
    number = milliseconds << 80 | random.getrandbits(80)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -10, -10)])
