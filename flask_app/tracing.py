"""Spans of requests and attempts for an OpenTelemetry collector (OTEL_EXPORTER_OTLP_ENDPOINT).

Without the setting no library is loaded, and every span is NOTHING. A span names no person and holds nobody's words.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from flask_app.config import VERSION, Config
from flask_app.settings_reader import missing_packages

NAME = "mingchat"
FLUSH_MS = 3000

_provider: Any = None
_tracer: Any = None


class Span:
    """Something that takes time; it ends once. `inner` is the library's, None where nobody asks for spans."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def tell(self, attributes: Mapping[str, str | int | None]) -> None:
        """What is known of it; what is None is not."""
        if self.inner is not None:
            self.inner.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def mark(self, name: str) -> None:
        """Something happened just now."""
        if self.inner is not None:
            self.inner.add_event(name)

    def fail(self, code: str) -> None:
        if self.inner is not None:
            from opentelemetry.trace import StatusCode

            self.inner.set_status(StatusCode.ERROR, code)

    def end(self) -> None:
        if self.inner is not None:
            self.inner.end()


NOTHING = Span(None)
_current: ContextVar[Span] = ContextVar("span", default=NOTHING)


def set_up(config: Config) -> None:
    """Begin to send spans, in batches on a thread of its own; raises ConfigError without the packages for it."""
    global _provider, _tracer
    close()
    if config.otlp_endpoint is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise missing_packages("OTEL_EXPORTER_OTLP_ENDPOINT") from error
    _provider = TracerProvider(resource=Resource.create({"service.name": NAME, "service.version": VERSION}))
    exporter = OTLPSpanExporter(endpoint=f"{config.otlp_endpoint.rstrip('/')}/v1/traces")
    _provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = _provider.get_tracer(NAME)


def close() -> None:
    """Send what is left, and stop."""
    global _provider, _tracer
    if _provider is not None:
        _provider.force_flush(FLUSH_MS)
        _provider.shutdown()
    _provider = _tracer = None


def begin_request(name: str) -> Span:
    """A request that came in: what begins while it is served is a part of it, until `leave_request`."""
    if _tracer is None:
        return NOTHING
    from opentelemetry.trace import SpanKind

    span = Span(_tracer.start_span(name, kind=SpanKind.SERVER))
    _current.set(span)
    return span


def current_request() -> Span:
    """The request that is being served."""
    return _current.get()


def leave_request() -> None:
    _current.set(NOTHING)


def begin_call(name: str, parent: Span) -> Span:
    """A request of ours to somebody else, a part of `parent`."""
    if _tracer is None:
        return NOTHING
    from opentelemetry.trace import SpanKind, set_span_in_context

    context = None if parent.inner is None else set_span_in_context(parent.inner)
    return Span(_tracer.start_span(name, context=context, kind=SpanKind.CLIENT))
