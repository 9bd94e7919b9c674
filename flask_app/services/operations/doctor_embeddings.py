"""What an operator should know of searching documents by meaning: can the chosen model be asked, and is it priced?"""

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from flask_app.services.embedding import embedding_setting
from flask_app.services.operations.finding import GOOD, WARNING, Finding


def vectors() -> Iterator[Finding]:
    """Nothing is said where none is chosen, or the database is away, which is told already. Nobody is asked."""
    try:
        found = embedding_setting.standing()
    except DBAPIError:
        return
    if found is None:
        return
    what = f"documents by meaning: {found.name} of {found.provider}"
    if not found.listed:
        advice = "Choose another model (Admin, Models): until then documents are searched by words alone."
        yield Finding(WARNING, f"{what}, which its provider lists no more", advice)
    elif not found.has_key:
        advice = "Add one on the page API keys, or choose another model (Admin, Models)."
        yield Finding(WARNING, f"{what}, of which no key can be asked", advice)
    elif not found.priced:
        advice = f"Give it one in {found.currency} (Admin, Prices): until then its vectors are booked without costs."
        yield Finding(WARNING, f"{what}, without a price", advice)
    else:
        yield Finding(GOOD, what)
