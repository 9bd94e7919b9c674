"""Prices for tests, as an administrator would have set them."""

from datetime import datetime

from flask_app.database import new_id, transaction, utc_now
from flask_app.models import Tariff


def put(model: str, price: float, *, currency: str = "CNY", starts_at: datetime | None = None, **others: float) -> str:
    """So much for a million tokens of each kind but these `others`, from now on if not told; gives the tariff's id.

    `request` is for a thousand requests.
    """
    prices = {kind: round(others.get(kind, price) * 1_000_000) for kind in ("input_hit", "input_miss", "output")}
    request = round(others.get("request", 0) * 1000)
    dated = {"starts_at": starts_at or utc_now(), "request_price": request}
    tariff_id = new_id()
    with transaction() as session:
        session.add(Tariff(id=tariff_id, model=model, currency=currency, **dated, **prices))
    return tariff_id
