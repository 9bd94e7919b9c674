"""What is left on an account at a provider, in whole micro-units."""

from decimal import Decimal, InvalidOperation

import msgspec

MICROS = 1_000_000
MOST = 2**53 // MICROS  # what a reader's browser still counts exactly
MAX_SUMS = 8


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """What is left in one currency: `granted` and `topped_up` are parts of `total`. Debts are negative."""

    currency: str
    total: int
    granted: int
    topped_up: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """`available`: is it enough for the provider to answer?"""

    available: bool
    sums: list[Sum]

    def other_than(self, currency: str) -> str | None:
        """The currency in which something is left, where nothing is left in this one; None normally."""
        left = [each.currency for each in self.sums if each.total > 0]
        return left[0] if left and currency not in left else None

    def stored(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def restored(cls, text: str) -> "Balance":
        return msgspec.json.decode(text, type=cls)


class _Told(msgspec.Struct):
    currency: str
    total_balance: str
    granted_balance: str = "0"
    topped_up_balance: str = "0"


class _Reply(msgspec.Struct):
    is_available: bool
    balance_infos: list[_Told]


def parse(raw: bytes) -> Balance:
    """The reply of DeepSeek's `GET /user/balance`; raises ValueError for anything else."""
    try:
        reply = msgspec.json.decode(raw, type=_Reply)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ValueError("no balance") from error
    return Balance(available=reply.is_available, sums=[_sum(told) for told in reply.balance_infos[:MAX_SUMS]])


def micros(amount: str) -> int:
    """A decimal string as micro-units, rounded half to even; raises ValueError for what is no amount of money."""
    try:
        exact = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not exact.is_finite() or abs(exact) >= MOST:
        raise ValueError("no amount of money")
    return int((exact * MICROS).to_integral_value())


def _sum(told: _Told) -> Sum:
    if not (len(told.currency) == 3 and told.currency.isascii() and told.currency.isupper()):
        raise ValueError("no currency")
    return Sum(
        currency=told.currency,
        total=micros(told.total_balance),
        granted=micros(told.granted_balance),
        topped_up=micros(told.topped_up_balance),
    )
