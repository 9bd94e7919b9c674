"""Which models the people of a group may ask: every one, or these by their names.

It stands in the group's row and comes with each request's own statement, as the rest of `group_access` does: a change
holds from the next request on, in every process. Titles are asked of the model that the site chose.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.database import reading
from flask_app.domain.serving import LOCAL, Allowed, folded
from flask_app.errors import Invalid
from flask_app.models import ChatModel, Group, Provider

MOST = 100

_names = msgspec.json.Decoder(list[str])
# What this machine answers is asked only where no provider's model is there, and is closed to nobody.
_OF_PROVIDERS = (
    select(ChatModel.name).join(Provider, Provider.id == ChatModel.provider_id).where(Provider.kind != LOCAL)
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The names of the models that may be asked; None is every one."""

    names: tuple[str, ...] | None


@lru_cache(maxsize=1024)
def read(stored: str | None) -> Allowed:
    """What stands in a group's row."""
    return None if stored is None else frozenset(map(folded, _names.decode(stored)))


def names(stored: str | None) -> list[str] | None:
    """As they were written."""
    return None if stored is None else _names.decode(stored)


def written(session: Session, choice: Choice, before: str | None) -> str | None:
    """What is to stand there instead of `before`, whose names need not be known any more.

    Raises Invalid("bad_group_models") for none or too many, Invalid("unknown_model").
    """
    if choice.names is None:
        return None
    wanted = sorted(set(choice.names))
    if not 0 < len(wanted) <= MOST:
        raise Invalid("bad_group_models", limit=MOST)
    known = {*session.scalars(_OF_PROVIDERS.where(ChatModel.name.in_(wanted))), *(names(before) or ())}
    for name in wanted:
        if name not in known:
            raise Invalid("unknown_model", model=name)
    return msgspec.json.encode(wanted).decode()


def choices(groups: Iterable[Group]) -> list[str]:
    """The names to choose from: of what providers list now, and of what these groups are kept to."""
    kept = [name for group in groups for name in names(group.models) or ()]
    with reading() as session:
        listed = session.scalars(_OF_PROVIDERS.where(ChatModel.listed).distinct()).all()
    return sorted({*listed, *kept})
