"""Every reply is counted, by its route as it is written in the code: an address may hold anything."""

import time
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request

from flask_app import metrics, tracing

NO_ROUTE = "(none)"
METRICS_PATH = "/metrics"


def init_app(app: Flask) -> None:
    """Comes first: what it sees of a request is all of it."""
    app.before_request(_begin)
    app.after_request(_count)
    app.teardown_request(lambda _: tracing.leave_request())
    app.wsgi_app = _AnyHost(app.wsgi_app)  # type: ignore[method-assign]


def _begin() -> None:
    g.began = time.monotonic()
    g.span = tracing.begin_request(f"{request.method} {request.url_rule.rule}" if request.url_rule else NO_ROUTE)


def _count(response: Response) -> Response:
    rule = request.url_rule
    route, method = (rule.rule, request.method) if rule else (NO_ROUTE, "")
    metrics.REQUESTS.labels(method, route, response.status_code).inc()
    if "began" in g:
        metrics.REQUEST_SECONDS.labels(route).observe(time.monotonic() - g.began)
        _end_span(method, route, response.status_code)
    return response


def _end_span(method: str, route: str, status: int) -> None:
    span: tracing.Span = g.span
    span.tell(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "mingchat.request_id": g.get("request_id"),
        }
    )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.fail(str(status))
    span.end()


class _AnyHost:
    """Lets Prometheus ask an instance by its address: it cannot send another name, and the reply depends on none."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") == METRICS_PATH:
            environ["HTTP_HOST"] = "localhost"
        return self._application(environ, start_response)
