"""Names that lead to another model: an alias, or a model that is no longer offered and has a successor."""

from collections.abc import Sequence

from sqlalchemy import bindparam, or_, select

from flask_app.database import fetching, table_of
from flask_app.domain.serving import ServedModel
from flask_app.models import ChatModel, ModelAlias

_aliases, _models = table_of(ModelAlias), table_of(ChatModel)
_BY_ALIAS = select(_aliases.c.model_id).where(_aliases.c.name_key == bindparam("folded"))
_BY_NAME = (
    select(_models.c.id)
    .where(or_(_models.c.id == bindparam("named"), _models.c.name == bindparam("named")))
    .order_by(_models.c.successor_id.is_(None), _models.c.id)
)
_SUCCESSORS = select(_models.c.id, _models.c.successor_id).where(_models.c.successor_id.is_not(None))


def folded(name: str) -> str:
    """An alias without differences of case."""
    return name.casefold()


def target(wanted: str, models: Sequence[ServedModel]) -> ServedModel | None:
    """Which of `models` (the default one first) answers for the alias or the known model `wanted`.

    A model that is not among them leads to its successor, and where none is named to the default. None for a name
    that nothing is known by.
    """
    with fetching() as connection:
        found = connection.scalar(_BY_ALIAS, {"folded": folded(wanted)})
        found = found or connection.scalars(_BY_NAME, {"named": wanted}).first()
        if found is None:
            return None
        successors = {row.id: row.successor_id for row in connection.execute(_SUCCESSORS)}
    offered = {model.id: model for model in models}
    passed = set[str]()
    while found and found not in offered and found not in passed:
        passed.add(found)
        found = successors.get(found)
    return offered.get(found or "", models[0])
