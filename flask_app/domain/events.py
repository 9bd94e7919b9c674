"""What a model's answer is made of while it streams. One is made for every token: they are cheap to make."""

import msgspec

# Tokens for a character, from the provider's own rule of thumb: an English character is about 0.3 token,
# a Chinese one about 0.6 (https://api-docs.deepseek.com/quick_start/token_usage).
_ASCII_TOKENS = 0.3
_OTHER_TOKENS = 0.6


class Reasoning(msgspec.Struct, frozen=True, gc=False):
    """A piece of the model's thinking."""

    text: str


class Thought(msgspec.Struct, frozen=True, gc=False):
    """The thinking is over: how long it took, in all runs on the answer; None where that is not known."""

    thinking_ms: int | None


class Token(msgspec.Struct, frozen=True, gc=False):
    """A piece of the answer: one token, or several that arrived together."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A piece of the `index`-th call of a function that the model asks its caller for.

    `id` and `name` come once, `arguments` piece by piece: JSON as the model writes it.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""

    @property
    def text(self) -> str:
        """All that the model wrote of it."""
        return (self.name or "") + self.arguments


class Logprobs(msgspec.Struct, frozen=True, gc=False):
    """How likely tokens of the answer were: the provider's own JSON objects, a token each."""

    items: tuple[msgspec.Raw, ...]


class Vectors(msgspec.Struct, frozen=True):
    """What an embedding model made of its inputs, in their order: each as the provider's JSON has it."""

    items: tuple[msgspec.Raw, ...]


class Begun(msgspec.Struct, frozen=True, gc=False):
    """A part has come of what would have been told all at once, and no more comes."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens as the ledger counts them: cached within prompt, reasoning within completion."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def kept_tokens(self) -> int:
        """What the next message of a conversation sends along: thoughts are left out."""
        return self.total_tokens - self.reasoning_tokens

    def later_than(self, earlier: "Usage | None") -> "Usage":
        """Of two counts of one answer the one that holds: providers send totals, and a total never shrinks."""
        return self if earlier is None or self.total_tokens >= earlier.total_tokens else earlier


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The model said that it is done, and why (`stop`, `length`, `content_filter` …)."""

    reason: str


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The provider reported a failure inside a stream that had begun with 200."""

    code: str


class Served(msgspec.Struct, frozen=True, gc=False):
    """The name of the model that really answers, as the provider gives it: printable, on one line, not too long."""

    model: str


Words = Reasoning | Token | ToolCall


class OfChoice(msgspec.Struct, frozen=True):
    """A piece, or the end, of one of several answers that were asked for at once."""

    index: int
    event: "Event"


Event = Words | Thought | Logprobs | Vectors | Begun | Usage | Finished | Failed | Served | OfChoice


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is, for when no provider says: never zero for a text that is not empty."""
    ascii_characters = len(text.encode("ascii", "ignore"))
    return tokens_of(ascii_characters, len(text) - ascii_characters)


def tokens_of(ascii_characters: int, others: int) -> int:
    """The same of a text of so many characters."""
    return -int(-(ascii_characters * _ASCII_TOKENS + others * _OTHER_TOKENS) // 1)
