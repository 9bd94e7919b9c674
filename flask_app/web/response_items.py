"""The input of OpenAI's Responses API: its items, and what a provider of chat completions takes them as.

A field that is not named here is refused by name; docs/gateway.md says what becomes of each.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from flask_app.errors import BadRequest, Invalid
from flask_app.services.chat.prompts import Turn
from flask_app.web import images
from flask_app.web.bodies import Body
from flask_app.web.completions import MAX_PARTS, Label
from flask_app.web.message_turns import BETWEEN
from flask_app.web.response_tools import sent_name

Ignored = dict[str, Any] | None  # accepted, and without effect
Status = Literal["in_progress", "completed", "incomplete"] | None


class Part(Body, kw_only=True, tag_field="type"):
    """`prompt_cache_breakpoint` has no effect: providers cache by themselves."""

    prompt_cache_breakpoint: Ignored = None


class InputText(Part, tag="input_text"):
    text: str


class OutputText(Part, tag="output_text"):
    """What clients send back of an answer."""

    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


class Refusal(Part, tag="refusal"):
    refusal: str

    @property
    def text(self) -> str:
        return self.refusal


class InputImage(Part, tag="input_image"):
    """A file's id names what is kept elsewhere."""

    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None


class _Picture(msgspec.Struct, tag_field="type"):
    """Known, so that it can be refused in words."""


class InputFile(_Picture, tag="input_file"):
    pass


class InputAudio(_Picture, tag="input_audio"):
    pass


AnyPart = InputText | OutputText | Refusal | InputImage | InputFile | InputAudio
Content = str | Annotated[list[AnyPart], msgspec.Meta(max_length=MAX_PARTS)]


class Item(Body, kw_only=True, tag_field="type"):
    """`id` and `status` are what clients send back of an answer."""

    id: Label | None = None
    status: Status = None


class MessageItem(Item, tag="message"):
    role: Literal["user", "assistant", "system", "developer"]
    content: Content
    phase: str | None = None


class FunctionCallItem(Item, tag="function_call"):
    call_id: Label
    name: Label
    arguments: str
    namespace: Label | None = None
    caller: Ignored = None


class FunctionOutputItem(Item, tag="function_call_output"):
    call_id: Label
    output: Content
    name: Label | None = None
    namespace: Label | None = None
    caller: Ignored = None


class ReasoningText(Body, tag_field="type", tag="reasoning_text"):
    text: str


class SummaryText(Body, tag_field="type", tag="summary_text"):
    text: str


class ReasoningItem(Item, tag="reasoning"):
    """What only OpenAI can read of it is left out."""

    summary: list[SummaryText] | None = None
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None

    @property
    def text(self) -> str:
        return BETWEEN.join(each.text for each in self.content or self.summary or ())


AnyItem = MessageItem | FunctionCallItem | FunctionOutputItem | ReasoningItem


def instructions_turns(given: str | None) -> Iterator[Turn]:
    if given:
        yield _turn("system", given)


def input_turns(given: str | Sequence[dict[str, Any]]) -> Iterator[Turn]:
    """What the input becomes: what the assistant said, thought and called in a row is one message."""
    if isinstance(given, str):
        yield _turn("user", given)
        return
    answer = _Answer()
    for number, raw in enumerate(given):
        place = f"input[{number}]"
        item = _item(raw, place)
        if isinstance(item, FunctionOutputItem) or (isinstance(item, MessageItem) and item.role != "assistant"):
            yield from answer.turns()
            answer = _Answer()
            yield _asked(item, place)
        else:
            answer.add(item, place)
    yield from answer.turns()


def _item(raw: dict[str, Any], place: str) -> AnyItem:
    """A message may leave its type out."""
    try:
        converted: AnyItem = msgspec.convert({"type": "message"} | raw, AnyItem)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        raise Invalid("invalid_field", detail=f"{said} - at `$.{place}{path or '`'}") from error
    return converted


def _asked(item: MessageItem | FunctionOutputItem, place: str) -> Turn:
    if isinstance(item, FunctionOutputItem):
        return _turn("tool", _text(item.output, f"{place}.output"), tool_call_id=item.call_id)
    role = "system" if item.role == "developer" else item.role
    if role == "user" and any(isinstance(part, InputImage) for part in item.content):
        parts = [_part(part, f"{place}.content[{number}]") for number, part in enumerate(item.content)]
        return Turn.of_program({"role": role, "content": parts})
    return _turn(role, _text(item.content, f"{place}.content"))


def _part(part: object, place: str) -> dict[str, object]:
    """Text and images, each as it comes: what is between images says something of them."""
    if isinstance(part, InputImage) and part.image_url is not None and part.file_id is None:
        return images.part(part.image_url, place, part.detail)
    if isinstance(part, InputText | OutputText | Refusal):
        return {"type": "text", "text": part.text}
    raise BadRequest("images_not_taken", field=place)


class _Answer:
    """What the assistant thought, said and called in a row."""

    def __init__(self) -> None:
        self._thoughts: list[str] = []
        self._said: list[str] = []
        self._calls: list[dict[str, object]] = []

    def add(self, item: MessageItem | FunctionCallItem | ReasoningItem, place: str) -> None:
        if isinstance(item, ReasoningItem):
            self._thoughts += [item.text] if item.text else []
        elif isinstance(item, FunctionCallItem):
            self._calls.append(_call(item))
        else:
            self._said.append(_text(item.content, f"{place}.content"))

    def turns(self) -> Iterator[Turn]:
        """One, or none where nothing but thoughts is there."""
        if not (self._said or self._calls):
            return
        fields: dict[str, object] = {"tool_calls": self._calls} if self._calls else {}
        if self._thoughts:
            fields["reasoning_content"] = BETWEEN.join(self._thoughts)
        text = BETWEEN.join(filter(None, self._said))
        yield _turn("assistant", text or (None if self._calls else ""), **fields)


def _call(item: FunctionCallItem) -> dict[str, object]:
    function = {"name": sent_name(item.namespace, item.name), "arguments": item.arguments}
    return {"id": item.call_id, "type": "function", "function": function}


def _text(content: Content, place: str) -> str:
    if isinstance(content, str):
        return content
    for number, part in enumerate(content):
        if isinstance(part, _Picture | InputImage):
            raise BadRequest("images_not_taken", field=f"{place}[{number}]")
    return BETWEEN.join(part.text for part in content if not isinstance(part, _Picture | InputImage))


def _turn(role: str, content: str | None, **fields: object) -> Turn:
    return Turn.of_program({"role": role, "content": content, **fields})
