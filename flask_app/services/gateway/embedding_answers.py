"""Embeddings for a program: the provider's vectors, and the ledger's count."""

from collections.abc import Iterator

import msgspec

from flask_app.domain.events import Event, Vectors
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway import program_keys
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

    @property
    def length(self) -> int:
        """Bytes of the vectors."""
        return sum(len(each.embedding) for each in self.data)

    def pieces(self) -> Iterator[bytes]:
        """As JSON, a vector at a time: all of it is never written out at once."""
        whole = msgspec.json.encode(Embeddings(data=[], model=self.model, usage=self.usage))
        head, tail = whole.split(b"[]", 1)
        yield head + b"["
        for place, each in enumerate(self.data):
            yield (b"," if place else b"") + msgspec.json.encode(each)
        yield b"]" + tail


class EmbeddingAnswer(Whole[Embeddings]):
    """Told whole: there is nothing to stream."""

    def __init__(self, begun: ProgramRun) -> None:
        super().__init__(begun)
        self._vectors: tuple[msgspec.Raw, ...] = ()

    def tell(self, event: Event) -> None:
        if isinstance(event, Vectors):
            self._vectors = event.items

    def _kept(self) -> bytes | None:
        """What is too long to be kept is not written out for that."""
        return super()._kept() if self.made and self.made.length <= program_keys.MOST_BYTES else None

    def _last(self, outcome: Outcome, entry: Entry) -> list[bytes]:
        if not self.failure:
            usage = entry.usage
            self.made = Embeddings(
                data=[Embedding(index=index, embedding=each) for index, each in enumerate(self._vectors)],
                model=outcome.actual_model or self.begun.model,
                usage=EmbeddingUsage(usage.prompt_tokens, usage.total_tokens, entry.source),
            )
        return []
