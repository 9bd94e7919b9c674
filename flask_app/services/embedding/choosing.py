"""Choosing the model that makes vectors: it is asked for the vector of one word first, booked as any other."""

import time

from flask_app.errors import AppError, Invalid, UpstreamError
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.embedding import asking, embedding_setting
from flask_app.services.embedding.asking import Asker, Maker
from flask_app.services.embedding.together import TooLate, in_time
from flask_app.services.providers import model_service

SECONDS = 10.0  # as long as a question waits
WORD = "word"
_MAKES_NONE = {"embeddings_not_offered", "upstream_garbage", "upstream_rejected"}


def choose(actor: Actor, person: User, model_id: str, *, request_id: str) -> None:
    """From the next question on. The vector is booked to the person, whose group may be kept from the model.

    Raises Invalid("unknown_model"), "model_cannot_be_asked" without a key or where its provider lists it no more, and
    "makes_no_vectors" for a model that is of another kind; UpstreamError, Unavailable and BudgetExhausted as they come.
    """
    name = embedding_setting.name_of(model_id)
    maker = _maker(model_id, name)
    asker = Asker(user_id=person.id, request_id=request_id, address=actor.address)
    try:
        in_time([lambda stop: asking.vectors_of([WORD], maker, asker, stop)], time.monotonic() + SECONDS)
    except TooLate as error:
        raise UpstreamError("upstream_timeout") from error
    except UpstreamError as error:
        if error.code in _MAKES_NONE:
            raise Invalid("makes_no_vectors", model=name) from error
        raise
    embedding_setting.choose(actor, model_id)


def _maker(model_id: str, name: str) -> Maker:
    try:
        model = model_service.find(model_id, with_vectors=True)
    except AppError as error:
        raise Invalid("model_cannot_be_asked", model=name) from error
    if model.id != model_id or model.local:
        raise Invalid("model_cannot_be_asked", model=name)
    return Maker(model=model, keys=embedding_setting.keys_of(model))
