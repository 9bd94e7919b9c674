"""An account at a scripted provider, which falls by what the provider itself prices its answers at."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.support.upstream_journal import Outcome, Received, Usage

MICRO = Decimal("0.000001")
# Per million tokens: input from the cache, other input, output. At peak hours they are twice as much.
SEARCH = Decimal("0.005")
YUAN = {"deepseek-flash": ("0.02", "1", "4"), "deepseek-v4-pro": ("0.15", "4.5", "13.5")}


@dataclass
class Account:
    """What is left, in yuan; the granted part is used first. `decimals` is how exactly it is told.

    An answer costs what the provider has told of it, or all that it used if it came to its end untold.
    """

    topped_up: Decimal = Decimal(100)
    granted: Decimal = Decimal(0)
    decimals: int = 6
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    charged: list[Decimal] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def charge(self, request: Received, outcome: Outcome) -> None:
        if request.is_search or request.is_fetch:
            if request.usage_sent:
                self.take(SEARCH)
            return
        used = request.usage_sent or (request.billed if outcome == "complete" else None)
        if used is not None:
            self.take(price(request.model, used, peak=is_peak(self.clock())))

    def take(self, amount: Decimal) -> None:
        with self._lock:
            of_grants = min(amount, max(self.granted, Decimal(0)))
            self.granted -= of_grants
            self.topped_up -= amount - of_grants
            self.charged.append(amount)

    def told(self) -> dict[str, Any]:
        """The reply of `GET /user/balance`."""
        with self._lock:
            parts = {"total": self.granted + self.topped_up, "granted": self.granted, "topped_up": self.topped_up}
        sums = {f"{name}_balance": f"{amount:.{self.decimals}f}" for name, amount in parts.items()}
        return {"is_available": parts["total"] > 0, "balance_infos": [{"currency": "CNY"} | sums]}


def price(model: str, used: Usage, *, peak: bool) -> Decimal:
    hit, miss, output = (Decimal(each) * (2 if peak else 1) for each in YUAN[model])
    exact = used.cached * hit + (used.prompt - used.cached) * miss + used.completion * output
    return (exact / 1_000_000).quantize(MICRO, ROUND_HALF_UP)


def is_peak(moment: datetime) -> bool:
    """Monday to Friday, 09:00 to 12:00 and 14:00 to 18:00 in Beijing. No public holidays here."""
    local = moment.astimezone(UTC) + timedelta(hours=8)
    return local.weekday() < 5 and (9 <= local.hour < 12 or 14 <= local.hour < 18)
