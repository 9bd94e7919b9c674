"""The OpenAI-compatible gateway: programs ask with a personal access token, on their person's bill."""

from flask import Blueprint, Response, g

from flask_app.services import gateway_service
from flask_app.services.chat_service import Origin
from flask_app.services.completion_objects import Completion
from flask_app.services.program_answers import StreamedAnswer, WholeAnswer
from flask_app.utils import require_token
from flask_app.web import limits, programs
from flask_app.web.bodies import MAX_BODY_BYTES, accepts, returns, streams
from flask_app.web.client import client_address
from flask_app.web.completions import CompletionRequest
from flask_app.web.models import ListedModel, ListedModels, listed_model, listed_models
from flask_app.web.program_replies import streamed, whole
from flask_app.web.readers import limits_readers

blueprint = Blueprint("gateway", __name__, url_prefix="/v1")


@blueprint.post("/chat/completions")
@require_token
@limits.asks_for_an_answer
@limits_readers
@accepts(CompletionRequest, most=MAX_BODY_BYTES)
@returns(Completion)
@streams
def complete(body: CompletionRequest) -> Response | Completion:
    """Answer messages as OpenAI does: whole, or as chunks with `stream`.

    It counts as the person's message does, against the same rates, cap and budgets. See docs/gateway.md.
    """
    visited, asked = programs.visit(), body.asked()
    limits.count_message(visited.user.id)
    origin = Origin(request_id=g.request_id, address=client_address(), locale=g.locale)
    if not body.stream:
        return whole(gateway_service.begin(visited, asked, origin, WholeAnswer))
    tells = body.tells_usage
    return streamed(
        gateway_service.begin(visited, asked, origin, lambda begun: StreamedAnswer(begun, tells_usage=tells))
    )


@blueprint.get("/models")
@require_token
@returns(ListedModels)
def models() -> ListedModels:
    """The models that this token may ask for now."""
    return listed_models(gateway_service.offered(programs.visit()))


@blueprint.get("/models/<path:name>")
@require_token
@returns(ListedModel)
def model(name: str) -> ListedModel:
    """One of them, by its name or another that leads to it."""
    return listed_model(gateway_service.found(programs.visit(), name))
