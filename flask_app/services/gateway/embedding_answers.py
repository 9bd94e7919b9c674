"""Embeddings for a program: the provider's vectors, and the ledger's count."""

import msgspec

from flask_app.domain.events import Event, Vectors
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway.program_answers import ProgramRun, Whole


class Embedding(msgspec.Struct, kw_only=True):
    """One input's vector: numbers, or their bytes in base64, as was asked for."""

    object: str = "embedding"
    index: int
    embedding: msgspec.Raw


class EmbeddingUsage(msgspec.Struct):
    """As the ledger has it; `source` is "reported" or "estimated"."""

    prompt_tokens: int
    total_tokens: int
    source: str


class Embeddings(msgspec.Struct, kw_only=True):
    """All vectors, in the order of their inputs."""

    object: str = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


class EmbeddingAnswer(Whole[Embeddings]):
    """Told whole: there is nothing to stream."""

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self._vectors: tuple[msgspec.Raw, ...] = ()

    def tell(self, event: Event) -> None:
        if isinstance(event, Vectors):
            self._vectors = event.items

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            usage = entry.usage
            self.made = Embeddings(
                data=[Embedding(index=index, embedding=each) for index, each in enumerate(self._vectors)],
                model=outcome.actual_model or self.begun.model,
                usage=EmbeddingUsage(usage.prompt_tokens, usage.total_tokens, entry.source),
            )
        return []
