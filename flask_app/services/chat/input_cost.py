"""What a prompt costs now, before its answer."""

from dataclasses import dataclass

from flask_app.database import fetching, utc_now
from flask_app.domain.events import Usage
from flask_app.domain.serving import Allowed
from flask_app.services.providers import model_service
from flask_app.services.tariffs import tariff_service


@dataclass(frozen=True, slots=True)
class InputCost:
    """Micro-units of a currency: `cached_micros` where the provider has cached all that is not new, else `micros`."""

    currency: str
    micros: int
    cached_micros: int


def of(wanted: str | None, tokens: int, new: int = 0, allowed: Allowed = None) -> InputCost | None:
    """Of so many tokens, some of them `new`, to the model with this id, name or alias, or to the default one.

    None where it has no price. Raises as `model_service.find` does.
    """
    model = model_service.find(wanted, allowed)
    if model.local:
        return None
    with fetching() as connection:
        priced = tariff_service.price(model.name, model.currency, utc_now(), connection)
    if priced is None:
        return None
    micros, cached_micros = (priced.cost(Usage(tokens, cached, 0, 0)) for cached in (0, max(0, tokens - new)))
    return InputCost(model.currency, micros, cached_micros)
