"""What the audit log calls models."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.models import ChatModel, Provider


def told_apart(session: Session, *model_ids: str | None) -> tuple[str | None, ...]:
    """By their names; with their providers' where two are of one name, and by the ids themselves where that is not
    enough. What is no model's id stays as it is: two are called the same only where they are the same.
    """
    found = select(ChatModel.id, ChatModel.name, Provider.name).join(Provider, Provider.id == ChatModel.provider_id)
    rows = session.execute(found.where(ChatModel.id.in_([each for each in model_ids if each]))).all()
    names = {model_id: name for model_id, name, _ in rows}
    with_providers = {model_id: f"{name} ({provider})" for model_id, name, provider in rows}
    for words in (names, with_providers):
        told = tuple(each and words.get(each, each) for each in model_ids)
        if len(set(told)) == len(set(model_ids)):
            return told
    return model_ids
