"""A model as it can be asked."""

from dataclasses import dataclass

LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model and whose it is. `currency` is the one its provider bills in."""

    id: str
    name: str
    label: str
    thinking: bool
    provider_id: str
    provider: str
    kind: str
    currency: str

    @property
    def demo(self) -> bool:
        """Is it the small local model, a demonstration?"""
        return self.kind == LOCAL
