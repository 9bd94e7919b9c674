"""Every reply is counted, by its route as it is written in the code: an address may hold anything."""

import time
from typing import Any

from flask import Flask, Response, g, request

from flask_app import metrics

NO_ROUTE = "(none)"
METRICS_PATH = "/metrics"


def init_app(app: Flask) -> None:
    """Comes first: what it sees of a request is all of it."""
    app.before_request(_begin)
    app.after_request(_count)
    app.wsgi_app = _AnyHost(app.wsgi_app)  # type: ignore[method-assign]


def _begin() -> None:
    g.began = time.monotonic()


def _count(response: Response) -> Response:
    rule = request.url_rule
    route, method = (rule.rule, request.method) if rule else (NO_ROUTE, "")
    metrics.REQUESTS.labels(method, route, response.status_code).inc()
    if "began" in g:
        metrics.REQUEST_SECONDS.labels(route).observe(time.monotonic() - g.began)
    return response


class _AnyHost:
    """Lets Prometheus ask an instance by its address: it cannot send another name, and the reply depends on none."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") == METRICS_PATH:
            environ["HTTP_HOST"] = "localhost"
        return self._application(environ, start_response)
