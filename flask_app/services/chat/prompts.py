"""What is asked of a provider: the request, and its body as the provider wants it."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import msgspec

from flask_app import config
from flask_app.domain import budget, files
from flask_app.domain.events import estimate_tokens
from flask_app.domain.serving import Operation, ServedModel, Thinking
from flask_app.services.completion.attempts import Earlier

MAX_BYTES = 4 << 20  # more than the largest models read: a million tokens
# A very small model repeats itself and does not find an end.
DEMO_TOKENS = 300
DEMO_LIMITS = {"repeat_penalty": 1.2, "temperature": 0.6}
# Providers write these into the prompt in a layout of their own: twice their bytes and so many tokens bound it.
# An image's bytes say nothing of its tokens: providers make hundreds to some thousands of one, the largest 16,384.
# Where its size is known, that may tell of more (`domain.files.most_tokens`).
USUAL_IMAGE_TOKENS, MOST_IMAGE_TOKENS = 1_000, 16_384
IN_PROMPT, IN_PROMPT_FACTOR, IN_PROMPT_TOKENS = ("tools", "response_format"), 2, 1024


class Shown(Protocol):
    """A picture that a person attached."""

    @property
    def name(self) -> str: ...

    @property
    def length(self) -> int:
        """Bytes of its content."""

    @property
    def most_tokens(self) -> int:
        """More than it adds to a prompt, as far as its size tells."""

    def address(self) -> str | None:
        """With its content; None where it is gone."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the prompt. A program's is sent as it wrote it, `raw`, and `content` is all of that as JSON, but
    for its `images`, which are counted apart. A person's `pictures` are read when it is sent, and follow its words.
    """

    role: str
    content: str
    raw: Mapping[str, object] | None = None
    images: int = 0
    pictures: tuple[Shown, ...] = ()

    @classmethod
    def of_program(cls, raw: Mapping[str, object]) -> "Turn":
        """A program's message, as the provider gets it."""
        content = raw["content"]
        parts = content if isinstance(content, list) else []
        words = [part for part in map(_words, parts) if part]
        images = sum("image_url" in part for part in parts)
        told = {**raw, "content": words} if images else raw
        return cls(str(raw["role"]), msgspec.json.encode(told).decode(), raw, images)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask which model, on whose account.

    An answer that broke off is gone on with from the text of `earlier`, or begins anew where that has none; `go_on` are
    the words that ask for it, where words must.
    `thinking` None leaves it to the provider. A program's own `options` go into the body as they are, and what it gave
    `beside` them, which nobody here knows, where nothing else stands; its answer has at most `max_tokens`.
    What is asked `in_passing` nobody waits for: it leaves every key a place for an answer, probes none, and where it
    fails, nobody else is asked. What `spares_keys` benches none for being busy or out of order: answers want them.
    Where the `operation` is none of a chat the turns are what is counted, and the options all that is asked. `room` is
    how many bytes more the prompt may become before it is sent.
    """

    user_id: str
    model: ServedModel
    turns: Sequence[Turn]
    thinking: Thinking | None
    channel: str
    request_id: str
    address: str
    run_id: str | None = None
    message_id: str | None = None
    earlier: Earlier | None = None
    go_on: str = ""
    token_id: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, object] = field(default_factory=dict)
    max_tokens: int | None = None
    in_passing: bool = False
    spares_keys: bool = False
    operation: Operation = "chat"
    room: int = 0

    @property
    def begun(self) -> str:
        """The text that is to be gone on with."""
        return self.earlier.text if self.earlier and not self.earlier.is_told else ""


def turns(request: Request, *, prefix: bool) -> list[Turn]:
    """The prompt. An answer that had begun comes last, with words that ask to go on unless it is a `prefix`."""
    begun = [Turn("assistant", request.begun)] if request.begun else []
    return [*request.turns, *begun, *([Turn("user", request.go_on)] if begun and not prefix else [])]


def is_too_long(request: Request) -> bool:
    """Is the prompt more than any model takes?"""
    return request.room + sum(len(text.encode()) for text in (*_contents(request), _in_prompt(request))) > MAX_BYTES


def estimate(request: Request) -> int:
    """About how many tokens the prompt is."""
    of_words = sum(map(estimate_tokens, (*_contents(request), _in_prompt(request))))
    return of_words + USUAL_IMAGE_TOKENS * _images(request)


def bound(request: Request) -> int:
    """More tokens than the prompt can be."""
    most = budget.prompt_bound(_contents(request)) + request.room + sum(map(_most_of_images, request.turns))
    if beside := _in_prompt(request):
        most += IN_PROMPT_TOKENS + IN_PROMPT_FACTOR * len(beside.encode())
    return most


def picture_bytes(request: Request) -> int:
    """How long the pictures that people attached are in the body, where they stand as base64."""
    return sum(4 * (picture.length // 3 + 1) for turn in request.turns for picture in turn.pictures)


def code_of_length(request: Request) -> str:
    """The error's code where the prompt is too long: it tells whether there was anything before the message."""
    code = kept_code_of_length(request)
    is_told = code == "message_too_long_for_model" and len(request.turns) > 1
    return "message_too_long_with_instructions" if is_told else code


def kept_code_of_length(request: Request) -> str:
    """The same for an answer that is stored: one of those that the version before knows."""
    return "conversation_too_long" if request.begun or not is_first(request) else "message_too_long_for_model"


def is_first(request: Request) -> bool:
    """Was nothing said before the message that is asked, but the instructions of an assistant?"""
    return sum(turn.role != "system" or turn.raw is not None for turn in request.turns) == 1


def longest_answer(model: ServedModel, asked: int | None = None, operation: Operation = "chat") -> int:
    """How many tokens an answer of this model may have, thoughts included; no more than are `asked` for."""
    if operation == "embeddings":
        return 0
    most = config.current().max_answer_tokens
    longest = min(most, asked or most)
    return min(longest, DEMO_TOKENS) if model.demo else longest


def choices(request: Request) -> int:
    """How many answers are asked for at once. What is reserved is for all of them."""
    asked = request.options.get("n")
    return asked if isinstance(asked, int) else 1


def body(request: Request, model: ServedModel, *, prefix: bool, max_tokens: int | None) -> dict[str, object]:
    """What the provider is sent. `max_tokens` is what the attempt has reserved."""
    if request.operation != "chat":
        return _plain_body(request, model, max_tokens)
    messages = [_message(turn) for turn in turns(request, prefix=prefix)]
    if prefix:
        messages[-1]["prefix"] = True
    made: dict[str, object] = {
        **request.beside,
        "model": model.name,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **request.options,
    }
    if max_tokens is not None:
        made["max_tokens"] = max(max_tokens // choices(request), 1)
    if model.thinking and request.thinking is not None:
        made["thinking"] = {"type": "enabled" if request.thinking else "disabled"}
    made.pop("reasoning_effort", None)
    if told := effort(request, model):
        made["reasoning_effort"] = told
    if model.thinking:
        made["user_id"] = _opaque(request.user_id, config.current().secret_key)
    if model.demo:
        made |= DEMO_LIMITS
    return made


def _words(part: dict[str, object]) -> dict[str, object]:
    """What of a part is counted by its letters: of an image nothing but what is not known here."""
    if "image_url" not in part:
        return part
    return {name: value for name, value in part.items() if name not in {"type", "image_url"}}


def _message(turn: Turn) -> dict[str, object]:
    if turn.raw is not None:
        return dict(turn.raw)
    if not turn.pictures:
        return {"role": turn.role, "content": turn.content}
    words = [{"type": "text", "text": turn.content}] if turn.content else []
    return {"role": turn.role, "content": [*words, *(_picture(picture) for picture in turn.pictures)]}


def _picture(picture: Shown) -> dict[str, object]:
    address = picture.address()
    if address is None:
        return {"type": "text", "text": files.unseen(picture.name)}
    return {"type": "image_url", "image_url": {"url": address}}


def _plain_body(request: Request, model: ServedModel, max_tokens: int | None) -> dict[str, object]:
    made: dict[str, object] = {**request.beside, "model": model.name, **request.options}
    if request.operation == "text_completion":
        made |= {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": max_tokens}
        if model.demo:
            made |= DEMO_LIMITS
    return made


def effort(request: Request, model: ServedModel) -> str | None:
    """The effort that the provider is told to think with, if any.

    A program's own word is told where it is not known what the model makes of it.
    """
    is_known = bool(model.efforts) and request.thinking is not None
    wanted = model.thinks(request.thinking or False) if is_known else request.options.get("reasoning_effort")
    return wanted if isinstance(wanted, str) else None


def _contents(request: Request) -> list[str]:
    return [turn.content for turn in turns(request, prefix=False)]


def _images(request: Request) -> int:
    return sum(turn.images for turn in request.turns)


def _most_of_images(turn: Turn) -> int:
    """A program's are not looked into."""
    attached = sum(max(MOST_IMAGE_TOKENS, picture.most_tokens) for picture in turn.pictures)
    return attached + MOST_IMAGE_TOKENS * (turn.images - len(turn.pictures))


def _in_prompt(request: Request) -> str:
    """Those of the options that the provider makes a part of the prompt, and what it may make one."""
    options = {name: request.options[name] for name in IN_PROMPT if name in request.options} | dict(request.beside)
    return msgspec.json.encode(options).decode() if options else ""


@lru_cache(maxsize=1024)
def _opaque(user_id: str, key: str) -> str:
    """A stable name for a person that tells the provider nothing about them."""
    return hmac.digest(key.encode(), user_id.encode(), "sha256").hex()[:32]
