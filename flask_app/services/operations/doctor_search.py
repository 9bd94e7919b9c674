"""What an operator should know of searching the web: can whoever was chosen search, and is all of it priced?"""

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from flask_app.services.completion.deepseek import FETCH
from flask_app.services.operations.finding import GOOD, WARNING, Finding
from flask_app.services.web_search import search_admin_service
from flask_app.services.web_search.search_settings import MODELS


def searching() -> Iterator[Finding]:
    """Nothing is said where nobody searches, or the database is away, which is told already. Nobody is asked."""
    try:
        found = search_admin_service.standing()
    except DBAPIError:
        return
    chosen = found.chosen
    if chosen is None:
        return
    what = f"web search: by {chosen.provider}"
    if not chosen.usable:
        advice = "Add one on the page API keys, or choose another provider (Admin, Settings)."
        yield Finding(WARNING, f"{what}, of which no key can be asked", advice)
    elif found.price is None:
        name = MODELS[chosen.kind]
        advice = f"Give {name} one in {chosen.currency} (Admin, Prices): until then searches are booked without costs."
        yield Finding(WARNING, f"{what}, without a price", advice)
    elif found.link_price is None:
        advice = f"Give {FETCH} one in {chosen.currency} (Admin, Prices): until then they are booked without costs."
        yield Finding(WARNING, f"{what}, which opens links without a price", advice)
    else:
        yield Finding(GOOD, what)
