"""Messages as clients of Anthropic's Messages API write them, and as a provider of chat completions takes them.

A field that is not named here is refused by name; docs/gateway.md says what becomes of each.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from flask_app.errors import BadRequest
from flask_app.services.chat.prompts import Turn
from flask_app.web import images
from flask_app.web.bodies import Body

MAX_BLOCKS = 4096
BETWEEN = "\n\n"  # blocks of text that become one message
# What Claude Code writes for Anthropic's bills: it is other each time, and no prompt that begins with it is cached.
_BILLING = "x-anthropic-billing-header:"

Label = Annotated[str, msgspec.Meta(max_length=256)]
ToolName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,128}$")]


class Block(Body, kw_only=True, tag_field="type"):
    """`cache_control` has no effect: providers cache by themselves."""

    cache_control: dict[str, Any] | None = None


class TextBlock(Block, tag="text"):
    text: str
    citations: list[Any] | None = None


class ThinkingBlock(Block, tag="thinking"):
    """Its signature is not looked at."""

    thinking: str
    signature: str | None = None


class RedactedThinkingBlock(Block, tag="redacted_thinking"):
    """Only Anthropic can read it: it is left out."""

    data: str


class ToolUseBlock(Block, tag="tool_use"):
    id: Label
    name: ToolName
    input: dict[str, Any]
    caller: dict[str, Any] | None = None
    toolset_name: None = None


class ImageData(Body, tag_field="type", tag="base64"):
    media_type: str
    data: str

    @property
    def address(self) -> str:
        return f"data:{self.media_type};base64,{self.data}"


class ImageAddress(Body, tag_field="type", tag="url"):
    url: str

    @property
    def address(self) -> str:
        return self.url


class ImageBlock(Block, tag="image"):
    source: ImageData | ImageAddress


class DocumentBlock(msgspec.Struct, tag_field="type", tag="document"):
    """Known, so that it can be refused in words."""


class ToolResultBlock(Block, tag="tool_result"):
    tool_use_id: Label
    content: (
        str | Annotated[list[TextBlock | ImageBlock | DocumentBlock], msgspec.Meta(max_length=MAX_BLOCKS)] | None
    ) = None
    is_error: bool | None = None
    toolset_name: None = None


AnyBlock = (
    TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ToolResultBlock | ImageBlock | DocumentBlock
)
_BELONG: dict[str, tuple[type, ...]] = {
    "system": (TextBlock,),
    "user": (TextBlock, ImageBlock, ToolResultBlock),
    "assistant": (TextBlock, ThinkingBlock, RedactedThinkingBlock, ToolUseBlock),
}


class InputMessage(Body):
    role: Literal["user", "assistant", "system"]
    content: str | Annotated[list[AnyBlock], msgspec.Meta(max_length=MAX_BLOCKS)]

    def turns(self, place: int) -> Iterator[Turn]:
        """What it becomes: results of tools are messages of their own. Raises BadRequest."""
        if isinstance(self.content, str):
            yield _turn(self.role, self.content)
            return
        _check(self.role, self.content, f"messages[{place}].content")
        if self.role == "assistant":
            yield _assistant(self.content)
            return
        yield from (_result(block) for block in self.content if isinstance(block, ToolResultBlock))
        if any(isinstance(block, ImageBlock) for block in self.content):
            parts = list(_parts(self.content, f"messages[{place}].content"))
            yield Turn.of_program({"role": self.role, "content": parts})
        elif any(isinstance(block, TextBlock) for block in self.content):
            yield _turn(self.role, _text(self.content))


def system_turns(system: str | Sequence[TextBlock] | None) -> Iterator[Turn]:
    blocks = [TextBlock(text=system)] if isinstance(system, str) else system or ()
    if text := _text([block for block in blocks if not block.text.startswith(_BILLING)]):
        yield _turn("system", text)


def _check(role: str, content: Sequence[AnyBlock], place: str) -> None:
    if not content:
        raise BadRequest("missing_content", field=place)
    for number, block in enumerate(content):
        parts = block.content if isinstance(block, ToolResultBlock) and isinstance(block.content, list) else ()
        if isinstance(block, DocumentBlock) or any(not isinstance(part, TextBlock) for part in parts):
            raise BadRequest("images_not_taken", field=f"{place}[{number}]")
        if not isinstance(block, _BELONG[role]):
            raise BadRequest("block_of_another_role", field=f"{place}[{number}]")


def _parts(content: Sequence[AnyBlock], place: str) -> Iterator[dict[str, object]]:
    """Text and images, each as it comes: what is between images says something of them."""
    for number, block in enumerate(content):
        if isinstance(block, TextBlock):
            yield {"type": "text", "text": block.text}
        elif isinstance(block, ImageBlock):
            yield images.part(block.source.address, f"{place}[{number}]")


def _assistant(content: Sequence[AnyBlock]) -> Turn:
    calls = [_call(block) for block in content if isinstance(block, ToolUseBlock)]
    thoughts = [block.thinking for block in content if isinstance(block, ThinkingBlock)]
    fields: dict[str, object] = {"tool_calls": calls} if calls else {}
    if thoughts:
        fields["reasoning_content"] = BETWEEN.join(thoughts)
    return _turn("assistant", _text(content) or (None if calls else ""), **fields)


def _call(block: ToolUseBlock) -> dict[str, object]:
    arguments = msgspec.json.encode(block.input).decode()
    return {"id": block.id, "type": "function", "function": {"name": block.name, "arguments": arguments}}


def _result(block: ToolResultBlock) -> Turn:
    """Chat completions have no field for a tool that failed: its result says so."""
    said = block.content if isinstance(block.content, str) else _text(block.content or ())
    return _turn("tool", f"Error: {said}" if block.is_error else said, tool_call_id=block.tool_use_id)


def _text(blocks: Sequence[object]) -> str:
    return BETWEEN.join(block.text for block in blocks if isinstance(block, TextBlock))


def _turn(role: str, content: str | None, **fields: object) -> Turn:
    return Turn.of_program({"role": role, "content": content, **fields})
