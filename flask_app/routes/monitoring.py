"""What is counted, for Prometheus."""

from flask import Blueprint, Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from flask_app.services.operations import metrics_service
from flask_app.utils import public
from flask_app.web.measures import METRICS_PATH

blueprint = Blueprint("monitoring", __name__)


@blueprint.get(METRICS_PATH)
@public
def metrics() -> Response:
    """All metrics of this instance, for whoever has METRICS_TOKEN."""
    given = request.authorization
    metrics_service.check_token(given.token if given and given.type == "bearer" else None)
    return Response(metrics_service.exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
