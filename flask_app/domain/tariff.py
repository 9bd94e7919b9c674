"""What an answer costs: tokens × price at a moment, and a price for having asked → integer money.

The only rounding is in `cost`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flask_app.domain.events import Usage
from flask_app.errors import Invalid

PRICED_TOKENS = 1_000_000  # prices are for so many tokens
PRICED_REQUESTS = 1_000  # as providers quote the price of a request
DECIMALS = 6

_CURRENCY = re.compile(r"[A-Z]{3}")
_PRICE = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?")


@dataclass(frozen=True, slots=True)
class Prices:
    """Micro-units of a currency per 1,000,000 tokens: input found in the provider's cache, other input, output.

    `request` is for each request, whatever its tokens.
    """

    input_hit: int
    input_miss: int
    output: int
    request: int = 0


def dearest(prices: Iterable[Prices]) -> Prices:
    """At least as much as any of them takes, for each kind of token and a request."""
    kinds = zip(*((each.input_hit, each.input_miss, each.output, each.request) for each in prices), strict=True)
    return Prices(*map(max, kinds))


def cost(usage: Usage, prices: Prices) -> int:
    """Micro-units for a request of `usage`, rounded once over the sum, half up. Thinking is part of the output."""
    missed = usage.prompt_tokens - usage.cached_tokens
    exact = (
        usage.cached_tokens * prices.input_hit + missed * prices.input_miss + usage.completion_tokens * prices.output
    )
    return prices.request + (2 * exact + PRICED_TOKENS) // (2 * PRICED_TOKENS)


def parts(usage: Usage, prices: Prices) -> tuple[int, int, int, int]:
    """The cost of cached input, other input, output and the request, which add up to `cost` exactly."""
    cached = Usage(usage.cached_tokens, usage.cached_tokens, 0, 0)
    prompt = Usage(usage.prompt_tokens, usage.cached_tokens, 0, 0)
    first, second, whole = (cost(part, prices) for part in (cached, prompt, usage))
    return first - prices.request, second - first, whole - second, prices.request


def saved_by_cache(usage: Usage, prices: Prices) -> int:
    """What `usage` would cost beside its cost, had the provider's cache held nothing."""
    without = Usage(usage.prompt_tokens, 0, usage.completion_tokens, usage.reasoning_tokens)
    return cost(without, prices) - cost(usage, prices)


def micros(price: str) -> int:
    """A price such as "0.02" in micro-units, exactly; raises Invalid("bad_price") for what is none."""
    match = _PRICE.fullmatch(price.strip())
    if match is None:
        raise Invalid("bad_price", price=price[:20])
    whole, fraction = match[1], match[2] or ""
    return int(whole + fraction.ljust(DECIMALS, "0"))


def request_micros(price: str) -> int:
    """The same for what PRICED_REQUESTS cost: of one of them. Raises Invalid("bad_request_price") for a part of one."""
    each, rest = divmod(micros(price), PRICED_REQUESTS)
    if rest:
        raise Invalid("bad_request_price", price=price.strip())
    return each


def decimal(micros: int) -> str:
    """A price as it is written: 20000 is "0.02"; what is owed, -500000, is "-0.5"."""
    whole, fraction = divmod(abs(micros), 10**DECIMALS)
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{fraction:06}".rstrip("0").rstrip(".")


def requests_price(request: int) -> str:
    """What PRICED_REQUESTS cost, as it is written."""
    return decimal(request * PRICED_REQUESTS)


def currency(raw: str) -> str:
    """A currency's three letters, in capitals; raises Invalid("bad_currency")."""
    code = raw.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise Invalid("bad_currency")
    return code
