"""What a scripted provider answers, read by our own client."""

from flask_app.domain.events import Event
from flask_app.upstream.client import ChatStream, Endpoint
from tests.support.scripted_upstream import ScriptedUpstream

BODY = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


def open_stream(provider: ScriptedUpstream) -> ChatStream:
    stream = ChatStream(Endpoint(provider.base_url, "sk-a", allow_insecure=True), BODY, "r")
    stream.open()
    return stream


def ask(provider: ScriptedUpstream) -> list[Event]:
    events: list[Event] = []
    open_stream(provider).deliver(events.extend)
    return events
