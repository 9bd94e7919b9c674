"""A model as it can be asked."""

from dataclasses import dataclass
from typing import Literal

Effort = Literal["low", "high", "max"]
Thinking = bool | Effort  # not, as much as the model likes, or with an effort
Operation = Literal["chat", "embeddings", "text_completion"]  # which of a provider's calls; as traces name them
EFFORTS: tuple[Effort, ...] = ("low", "high", "max")

Allowed = frozenset[str] | None  # folded names of the models that somebody may ask; None is every one

LOCAL = "local"
OPENAI = "openai"
SEARXNG = "searxng"
LOCAL_WINDOW = 4096  # tokens, as `upstream/local_model_server.py` sets it
BUNDLED_NAME = "SmolLM2-135M (demo)"


def folded(name: str) -> str:
    """A name without differences of case: providers do not agree on it."""
    return name.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model and whose it is. `currency` is the one its provider bills in.

    `context_tokens` is what one conversation may take of it, question and answer together; None is not known.
    It may be `thinking` before it answers, with one of the `efforts` where it knows any. It `sees` pictures, or not.
    It `makes_vectors` where it was chosen for documents: then it is no model of the chat.
    """

    id: str
    name: str
    label: str
    thinking: bool
    provider_id: str
    provider: str
    kind: str
    currency: str
    context_tokens: int | None = None
    efforts: tuple[Effort, ...] = ()
    sees: bool = False
    makes_vectors: bool = False

    def is_among(self, allowed: Allowed) -> bool:
        """May somebody ask it? What this machine answers, where no provider does, is closed to nobody."""
        return allowed is None or self.local or folded(self.name) in allowed

    def thinks(self, wanted: Thinking) -> Thinking:
        """How it thinks where so much is wanted: what knows no efforts, as it likes."""
        if not self.thinking:
            return False
        return wanted if wanted in self.efforts else bool(wanted)

    @property
    def local(self) -> bool:
        """Does this machine answer, by a model file?"""
        return self.kind == LOCAL

    @property
    def billed_in(self) -> str:
        """The currency that an answer may cost something in; none for what this machine answers."""
        return "" if self.local else self.currency

    @property
    def demo(self) -> bool:
        """Is it the small local model that comes along, a demonstration?"""
        return self.local and self.name == BUNDLED_NAME
