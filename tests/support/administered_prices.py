"""Prices as an administrator asks for them over HTTP."""

from typing import Any

from flask_app.database import utc_now
from tests.support.clients import PageClient

TARIFFS = "/api/admin/tariffs"
PRICES = {"input_hit": "0.5", "input_miss": "1", "output": "2"}
HIGH = {"input_hit": "1", "input_miss": "2", "output": "4"}
CALENDAR = {"timezone": "Asia/Shanghai", "weekdays": [0, 1, 2, 3, 4], "hours": [["09:00", "12:00"]]}
YEAR = utc_now().year + 2  # which has not begun anywhere
LATER = f"{YEAR}-01-01T00:00:00+08:00"
PEAK = {"prices": HIGH, "calendar": CALENDAR}


def add(client: PageClient, **fields: Any) -> Any:
    return client.post(TARIFFS, json={"model": "m", "currency": "CNY", "prices": PRICES} | fields)


def put(client: PageClient, tariff_id: str, **fields: Any) -> Any:
    return client.put(f"{TARIFFS}/{tariff_id}", json={"prices": PRICES} | fields)


def code_of(response: Any) -> str:
    return str(response.json["error"]["code"])


def prices_of(response: Any, model: str = "m") -> Any:
    return next(each for each in response.json["models"] if each["model"] == model)


def line_of(response: Any, model: str = "m", currency: str = "CNY") -> Any:
    return next(line for line in prices_of(response, model)["lines"] if line["currency"] == currency)
