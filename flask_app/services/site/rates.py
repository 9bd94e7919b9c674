"""How often may be asked, by kind of request: what the whole site has set, and a group's own where that differs.

A kind is "messages" (each asks for an answer), "downloads" (records as a file), "requests" (everything else of a person
who is signed in) or "visits" (everything of an address where nobody is; the site's alone). Nothing is cached: a change
holds from the next request on, in every process.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import fetching, table_of
from flask_app.models import Setting
from flask_app.services.site.windows import Rate

KINDS = ("messages", "downloads", "requests", "visits")
OF_GROUPS = KINDS[:3]
NAME = "rates"
NOTHING = "{}"
MAX_AMOUNT, MAX_SECONDS = 10_000, 86_400

# A rate, or None for no limit; a kind that is absent is as elsewhere.
Rates = Mapping[str, Rate | None]

_SITE = select(table_of(Setting).c.value).where(table_of(Setting).c.name == NAME)


def usual() -> dict[str, Rate]:
    """What holds where nobody has set anything."""
    messages = _parsed(config.current().chat_rate_limit)
    return {"messages": messages, "downloads": Rate(60, 3600), "requests": Rate(600, 60), "visits": Rate(600, 60)}


def rate(kind: str, *stored: str | None) -> Rate | None:
    """What holds for `kind`: the first of `stored` that says something of it, a group's before the site's."""
    for text in stored:
        if text and kind in (rates := read(text)):
            return rates[kind]
    return usual()[kind]


@lru_cache(maxsize=1024)
def read(text: str) -> Rates:
    """What is stored in a group's row and in the site's setting."""
    return {kind: rate and Rate(*rate) for kind, rate in json.loads(text).items()}


def written(rates: Rates) -> str:
    return json.dumps({kind: rate and (rate.amount, rate.seconds) for kind, rate in rates.items()})


def of_site() -> str | None:
    """As stored."""
    with fetching() as connection:
        text: str | None = connection.scalar(_SITE)
    return text


def stored_of_site(session: Session) -> str:
    row = session.get(Setting, NAME)
    return row.value if row else NOTHING


_parsed = lru_cache(maxsize=8)(Rate.parse)
