"""What the ledger says of each person: entries, tokens and money, in every schema that there has been."""

import msgspec
from sqlalchemy import Connection, column, func, select, table

_LEDGER = table(
    "token_usage", *map(column, ("user_id", "currency", "prompt_tokens", "completion_tokens", "cost_micros"))
)


class Total(msgspec.Struct):
    """`money` is in micro-units, by currency; what had no price is not in it."""

    entries: int = 0
    tokens: int = 0
    money: dict[str, int] = msgspec.field(default_factory=dict)


def of_people(connection: Connection) -> dict[str, Total]:
    """By the person's id; refunds are taken off."""
    found: dict[str, Total] = {}
    for user_id, currency, entries, tokens, micros in connection.execute(_BY_PERSON):
        total = found.setdefault(user_id, Total())
        total.entries += int(entries)
        total.tokens += int(tokens)
        if currency is not None:
            total.money[currency] = int(micros or 0)
    return found


_BY_PERSON = select(
    _LEDGER.c.user_id,
    _LEDGER.c.currency,
    func.count(),
    func.sum(_LEDGER.c.prompt_tokens + _LEDGER.c.completion_tokens),
    func.sum(_LEDGER.c.cost_micros),
).group_by(_LEDGER.c.user_id, _LEDGER.c.currency)
