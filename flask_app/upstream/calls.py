"""The calls of a provider's API that answers are made by, and what carries the answer of each."""

from collections.abc import Mapping

from flask_app.domain.serving import Operation
from flask_app.upstream.client import ChatStream
from flask_app.upstream.embeddings import EmbeddingReply
from flask_app.upstream.text_completions import TextStream

STREAMS: Mapping[Operation, type[ChatStream]] = {
    "chat": ChatStream,
    "embeddings": EmbeddingReply,
    "text_completion": TextStream,
}
