"""The OpenAI-compatible gateway: programs ask with a personal access token, on their person's bill."""

from flask import Blueprint, Response

from flask_app.services.gateway import gateway_service
from flask_app.services.gateway.choice_answers import StreamedChoices, WholeChoices
from flask_app.services.gateway.completion_objects import Completion
from flask_app.services.gateway.embedding_answers import EmbeddingAnswer, Embeddings
from flask_app.services.gateway.program_answers import StreamedAnswer, WholeAnswer
from flask_app.services.gateway.response_answers import StreamedResponse, WholeResponse
from flask_app.services.gateway.response_objects import ResponseObject
from flask_app.services.gateway.text_answers import StreamedText, TextCompletion, WholeText
from flask_app.utils import require_token
from flask_app.web import limits, programs
from flask_app.web.bodies import accepts, returns, streams
from flask_app.web.completions import CompletionRequest
from flask_app.web.embeddings import EmbeddingRequest
from flask_app.web.long_bodies import USUAL, WITH_IMAGES, WITH_TEXT
from flask_app.web.program_models import (
    DescribedModel,
    DescribedModels,
    ListedModel,
    ListedModels,
    described_model,
    described_models,
    listed_model,
    listed_models,
)
from flask_app.web.program_replies import in_pieces
from flask_app.web.program_requests import answered, once
from flask_app.web.readers import limits_readers
from flask_app.web.responses import ResponseRequest
from flask_app.web.text_completions import TextCompletionRequest

blueprint = Blueprint("gateway", __name__, url_prefix="/v1")


@blueprint.post("/chat/completions")
@require_token
@limits.asks_for_an_answer
@limits_readers
@accepts(CompletionRequest, most=WITH_IMAGES)
@returns(Completion)
@streams
@once
def complete(body: CompletionRequest) -> Response | Completion:
    """Answer messages as OpenAI does: whole, or as chunks with `stream`.

    It counts as the person's message does, against the same rates, cap and budgets. See docs/gateway.md.
    """
    tells, count = body.tells_usage, body.n or 1
    if count > 1:
        return answered(
            body,
            lambda begun: WholeChoices(begun, count),
            lambda begun: StreamedChoices(begun, count, tells_usage=tells),
        )
    return answered(body, WholeAnswer, lambda begun: StreamedAnswer(begun, tells_usage=tells))


@blueprint.post("/completions")
@require_token
@limits.asks_for_an_answer
@limits_readers
@accepts(TextCompletionRequest, most=WITH_TEXT)
@returns(TextCompletion)
@streams
@once
def complete_text(body: TextCompletionRequest) -> Response | TextCompletion:
    """Go on with a text, or fill a gap in it, by the model's own provider. Where it cannot that is a 404.

    It counts as the person's message does, against the same rates, cap and budgets. See docs/gateway.md.
    """
    tells = body.tells_usage
    return answered(body, WholeText, lambda begun: StreamedText(begun, tells_usage=tells))


@blueprint.post("/responses")
@require_token
@limits.asks_for_an_answer
@limits_readers
@accepts(ResponseRequest, most=WITH_IMAGES)
@returns(ResponseObject)
@streams
@once
def respond(body: ResponseRequest) -> Response | ResponseObject:
    """Answer as OpenAI's Responses API does: whole, or as events with `stream`. No response is stored.

    It counts as the person's message does, against the same rates, cap and budgets. See docs/gateway.md.
    """
    terms = body.terms()
    return answered(body, lambda begun: WholeResponse(begun, terms), lambda begun: StreamedResponse(begun, terms))


@blueprint.post("/embeddings")
@require_token
@limits.asks_for_an_answer
@limits_readers
@accepts(EmbeddingRequest, most=WITH_TEXT)
@returns(Embeddings)
@once
def embed(body: EmbeddingRequest) -> Response | Embeddings:
    """Vectors of texts, as OpenAI gives them, by the model's own provider. Where it has none that is a 404.

    It counts as the person's message does, against the same rates, cap and budgets. See docs/gateway.md.
    """
    made = answered(body, EmbeddingAnswer)
    if isinstance(made, Response) or made.length <= USUAL:
        return made
    return in_pieces(made.pieces())


@blueprint.get("/models")
@require_token
@returns(ListedModels)
def models() -> ListedModels | DescribedModels:
    """The models that this token may ask for now.

    With the header `anthropic-version` in the shape of Anthropic's list.
    """
    offered = gateway_service.offered(programs.visit())
    return described_models(offered) if programs.speaks_messages() else listed_models(offered)


@blueprint.get("/models/<path:name>")
@require_token
@returns(ListedModel)
def model(name: str) -> ListedModel | DescribedModel:
    """One of them, by its name or another that leads to it."""
    programs.logged().ask_for(name)
    found = gateway_service.found(programs.visit(), name)
    return described_model(found) if programs.speaks_messages() else listed_model(found)
