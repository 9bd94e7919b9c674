"""What the output of an OpenAI response consists of, while it is written: thoughts, messages, calls of functions."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

IN_PROGRESS, COMPLETED, INCOMPLETE = "in_progress", "completed", "incomplete"


class OutputItem(ABC):
    """One item at its `place` in the output. Its words' events are called `event` with ".delta" and ".done"."""

    prefix: ClassVar[str]
    event: ClassVar[str]
    words: ClassVar[str] = "text"  # what the event at their end calls all of them

    def __init__(self, run_id: str, place: int) -> None:
        self.place = place
        self.id = f"{self.prefix}_{run_id}_{place}"
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def where(self) -> dict[str, Any]:
        """How its words' events name it."""
        return {"item_id": self.id, "output_index": self.place, "content_index": 0}

    @property
    def beside(self) -> dict[str, Any]:
        """What clients expect beside the words."""
        return {}

    def add(self, piece: str) -> None:
        self._pieces.append(piece)

    @abstractmethod
    def part(self, text: str) -> dict[str, Any] | None:
        """The part of its content that the words are; None for an item without parts."""

    @abstractmethod
    def told(self, status: str) -> dict[str, Any]:
        """The item, as it is now."""

    def _content(self) -> list[dict[str, Any] | None]:
        return [self.part(self.text)] if self._pieces else []


class Thoughts(OutputItem):
    """What is thought is told as it is: nobody makes a summary."""

    prefix, event = "rs", "response.reasoning_text"

    def told(self, status: str) -> dict[str, Any]:
        own = {"id": self.id, "type": "reasoning", "status": status, "summary": [], "content": self._content()}
        return {**own, "encrypted_content": None}

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "reasoning_text", "text": text}


class Said(OutputItem):
    """The answer's text."""

    prefix, event = "msg", "response.output_text"

    @property
    def beside(self) -> dict[str, Any]:
        return {"logprobs": []}

    def told(self, status: str) -> dict[str, Any]:
        own = {"id": self.id, "type": "message", "status": status, "role": "assistant"}
        return {**own, "content": self._content()}

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], **self.beside}


class Call(OutputItem):
    """A call of the function `name`, in a `namespace` if it is in one, with arguments as the model writes them."""

    prefix, event, words = "fc", "response.function_call_arguments", "arguments"

    def __init__(self, run_id: str, place: int, *, call_id: str, name: str, namespace: str | None) -> None:
        super().__init__(run_id, place)
        self._call = {"call_id": call_id, "name": name} | ({"namespace": namespace} if namespace else {})

    @property
    def where(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.place}

    def part(self, text: str) -> None:  # noqa: ARG002 - it has none
        return None

    def told(self, status: str) -> dict[str, Any]:
        return {"id": self.id, "type": "function_call", "status": status, **self._call, "arguments": self.text}
