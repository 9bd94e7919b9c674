"""Requests for a chat completion as OpenAI's clients write them, checked field by field, and as the service takes them.

A field that is not named here goes to the provider as it came; docs/gateway.md says what becomes of each.
"""

from typing import Annotated, Any, Literal

import msgspec

from flask_app.errors import BadRequest
from flask_app.services.chat.prompts import Turn
from flask_app.services.gateway.gateway_service import Asked
from flask_app.web import images, unknown_fields
from flask_app.web.bodies import Body, ProgramBody
from flask_app.web.unknown_fields import Found, Passing

MAX_MESSAGES, MAX_PARTS, MAX_TOOLS, MAX_STOPS, MAX_TOKENS = 4096, 1024, 128, 16, 1_000_000
MAX_CHOICES = 8

Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
Label = Annotated[str, msgspec.Meta(max_length=256)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_TOKENS)]
Word = Annotated[str, msgspec.Meta(max_length=512)]
Metadata = Annotated[dict[Annotated[str, msgspec.Meta(max_length=64)], Word], msgspec.Meta(max_length=16)]
Stop = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Sent(Body, omit_defaults=True):
    """A part of a request that goes to the provider with the fields that were given."""


class Part(Sent, Passing, forbid_unknown_fields=False):
    """The same, and with those that are not known here."""


class PassingBody(ProgramBody, Passing, dict=True, forbid_unknown_fields=False):
    """A request whose provider knows fields that are not named here."""

    def hear(self, raw: bytes) -> None:
        self.__dict__["unknown"] = unknown_fields.found(raw, self)

    @property
    def unknown(self) -> Found:
        """What is not named, by where it stands."""
        found: Found = self.__dict__.get("unknown", {})
        return found

    @property
    def beside(self) -> dict[str, Any]:
        """What of that is the request's own."""
        return self.unknown.get((), {})


class TextPart(Part, tag_field="type", tag="text"):
    text: str


class RefusalPart(Part, tag_field="type", tag="refusal"):
    """What clients send back of an answer in parts: it was what the assistant said."""

    refusal: str


class Image(Sent):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Part, tag_field="type", tag="image_url"):
    image_url: Image


AnyPart = TextPart | RefusalPart | ImagePart


class FunctionCall(Part):
    name: Label
    arguments: str


class AskedCall(Part):
    id: Label
    type: Literal["function"]
    function: FunctionCall
    index: int | None = None


class ChatMessage(Body, Passing, forbid_unknown_fields=False):
    """One message. The last four fields are what clients send back of an answer; they are left out.

    But for a refusal that nothing stands beside: it was the answer.
    """

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | Annotated[list[AnyPart], msgspec.Meta(max_length=MAX_PARTS)] | None = None
    name: Label | None = None
    tool_calls: Annotated[list[AskedCall], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_call_id: Label | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None

    def turn(self, place: int, unknown: Found) -> Turn:
        role = "system" if self.role == "developer" else self.role
        raw: dict[str, object] = {"role": role, "content": self._content(place)}
        if self.tool_calls:
            raw["tool_calls"] = [_call(call) for call in self.tool_calls]
        for field in ("name", "tool_call_id", "reasoning_content"):
            if (value := getattr(self, field)) is not None:
                raw[field] = value
        unknown_fields.merge(raw, unknown, "messages", place)
        return Turn.of_program(raw)

    def _content(self, place: int) -> object:
        if self.content is None and not self.tool_calls:
            if self.refusal is None or self.role != "assistant":
                raise BadRequest("missing_content", field=f"messages[{place}].content")
            return self.refusal
        if not isinstance(self.content, list):
            return self.content
        return [self._part(part, f"messages[{place}].content[{number}]") for number, part in enumerate(self.content)]

    def _part(self, part: AnyPart, place: str) -> object:
        if isinstance(part, TextPart):
            return msgspec.to_builtins(part)
        if isinstance(part, RefusalPart):
            return {"type": "text", "text": part.refusal}
        if self.role != "user":
            raise BadRequest("images_not_taken", field=place)
        return images.part(part.image_url.url, place, part.image_url.detail)


class FunctionTool(Part):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Part):
    type: Literal["function"]
    function: FunctionTool


class NamedFunction(Sent):
    name: Name


class ChosenTool(Sent, tag_field="type", tag="function"):
    function: NamedFunction


class AllowedTools(Sent):
    mode: Literal["auto", "required"]
    tools: Annotated[list[ChosenTool], msgspec.Meta(min_length=1, max_length=MAX_TOOLS)]


class ToolsToChooseFrom(Sent, tag_field="type", tag="allowed_tools"):
    allowed_tools: AllowedTools


class ResponseFormat(Part):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None


class StreamOptions(Body):
    include_usage: bool = False
    include_obfuscation: bool | None = None


class Thinking(Sent):
    """All but the `type` is of providers beside DeepSeek."""

    type: Literal["enabled", "disabled"]
    budget_tokens: Limit | None = None
    clear_thinking: bool | None = None


class CompletionRequest(PassingBody):
    model: Annotated[str, msgspec.Meta(max_length=128)]
    messages: Annotated[list[ChatMessage], msgspec.Meta(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Limit | None = None
    max_completion_tokens: Limit | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    stop: Stop | Annotated[list[Stop], msgspec.Meta(max_length=MAX_STOPS)] | None = None
    seed: int | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | ToolsToChooseFrom | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"] | None = None
    thinking: Thinking | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=MAX_CHOICES)] | None = None
    user: Word | None = None
    safety_identifier: Word | None = None
    metadata: Metadata | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    # What is not there: a client may say null.
    functions: None = None
    function_call: None = None
    audio: None = None
    modalities: None = None
    prediction: None = None
    web_search_options: None = None

    def asked(self) -> Asked:
        """Raises BadRequest for what is well formed and not to be had here."""
        limits = [limit for limit in (self.max_tokens, self.max_completion_tokens) if limit is not None]
        return Asked(
            model=self.model,
            turns=[message.turn(place, self.unknown) for place, message in enumerate(self.messages)],
            options=self._options(),
            beside=self.beside,
            max_tokens=min(limits) if limits else None,
        )

    def _options(self) -> dict[str, object]:
        given = ((name, getattr(self, name)) for name in PASSED)
        options = {name: msgspec.to_builtins(value) for name, value in given if value is not None and value != []}
        unknown_fields.merge(options, {place: fields for place, fields in self.unknown.items() if place})
        return options | ({"n": self.n} if self.n and self.n > 1 else {})

    @property
    def tells_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


# What goes to the provider as it came.
PASSED = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty", "stop", "seed", "logprobs", "top_logprobs"),
    *("response_format", "tools", "tool_choice", "parallel_tool_calls", "reasoning_effort", "thinking"),
)


def _call(call: AskedCall) -> dict[str, object]:
    return {"id": call.id, "type": call.type, "function": msgspec.to_builtins(call.function)}
