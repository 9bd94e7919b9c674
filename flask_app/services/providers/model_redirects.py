"""Names that lead to another model: an alias, or a model that is no longer offered and has a successor."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, or_, select

from flask_app.database import fetching, table_of
from flask_app.domain.serving import ServedModel, folded
from flask_app.models import ChatModel, ModelAlias

_aliases, _models = table_of(ModelAlias), table_of(ChatModel)
_BY_ALIAS = select(_aliases.c.model_id).where(_aliases.c.name_key == bindparam("folded"))
_BY_NAME = (
    select(_models.c.id)
    .where(or_(_models.c.id == bindparam("named"), _models.c.name == bindparam("named")))
    .order_by(_models.c.successor_id.is_(None), _models.c.id)
)
_SUCCESSORS = select(_models.c.id, _models.c.successor_id).where(_models.c.successor_id.is_not(None))
_NAMES = select(_models.c.id, _models.c.name).where(_models.c.id.in_(bindparam("ids", expanding=True)))


def target(wanted: str, models: Sequence[ServedModel]) -> ServedModel | None:
    """Which of `models` (the default one first) answers for the alias or the known model `wanted`.

    A model that is not among them leads to one of its name, which another provider has, else to its successor; where
    there is none to the default. None for a name that nothing is known by.
    """
    with fetching() as connection:
        found = connection.scalar(_BY_ALIAS, {"folded": folded(wanted)})
        found = found or connection.scalars(_BY_NAME, {"named": wanted}).first()
        if found is None:
            return None
        chain = _chain(found, {row.id: row.successor_id for row in connection.execute(_SUCCESSORS)})
        names = {row.id: folded(row.name) for row in connection.execute(_NAMES, {"ids": chain})}
    by_id = {model.id: model for model in models}
    by_name = {folded(model.name): model for model in reversed(models)}
    offered = (by_id.get(each) or by_name.get(names.get(each, "")) for each in chain)
    return next(filter(None, offered), models[0])


def _chain(first: str, successors: Mapping[str, str]) -> list[str]:
    """The model and those that follow it one after the other, each once."""
    chain = [first]
    while (following := successors.get(chain[-1])) and following not in chain:
        chain.append(following)
    return chain
