"""Requests of Anthropic's Messages API, checked field by field, and as the service takes them.

A field that is not named here is refused by name; docs/gateway.md says what becomes of each.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec

from flask_app.domain.serving import Effort, Thinking
from flask_app.errors import BadRequest
from flask_app.services.chat.prompts import Turn
from flask_app.services.gateway.gateway_service import Asked
from flask_app.web.bodies import Body, ProgramBody, Reply
from flask_app.web.completions import MAX_MESSAGES, MAX_STOPS, MAX_TOOLS, Limit, Stop
from flask_app.web.message_turns import MAX_BLOCKS, InputMessage, TextBlock, ToolName, system_turns

Ignored = dict[str, Any] | None  # accepted, and without effect
_EFFORTS: dict[str, Effort] = {"low": "low", "medium": "high", "high": "high", "xhigh": "high", "max": "max"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


class ToolParam(Body):
    """A function of the client's own; Anthropic's server tools are not there."""

    name: ToolName
    input_schema: dict[str, Any]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: Ignored = None
    allowed_callers: list[Literal["direct"]] | None = None
    eager_input_streaming: bool | None = None
    defer_loading: bool | None = None
    input_examples: list[dict[str, Any]] | None = None  # left out: no provider of completions has a place for them

    def passed(self) -> dict[str, object]:
        given: dict[str, object] = {"name": self.name}
        if self.description is not None:
            given["description"] = self.description
        given["parameters"] = self.input_schema
        if self.strict is not None:
            given["strict"] = self.strict
        return {"type": "function", "function": given}


class ToolChoice(Body):
    """Which tool, if any: `name` with the type "tool" alone."""

    type: Literal["auto", "any", "tool", "none"]
    name: ToolName | None = None
    disable_parallel_tool_use: bool | None = None

    def passed(self) -> object:
        if (self.type == "tool") != (self.name is not None):
            raise BadRequest("bad_tool_choice", field="tool_choice.name")
        return {"type": "function", "function": {"name": self.name}} if self.name else _CHOICES[self.type]


class ThinkingConfig(Body):
    """How much is thought, and when, is the provider's affair: a budget of tokens has no effect."""

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Limit | None = None
    display: Literal["summarized", "omitted"] | None = None


class OutputFormat(Body):
    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(Body):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: OutputFormat | None = None


class Metadata(Body):
    user_id: Annotated[str, msgspec.Meta(max_length=512)] | None = None


class MessagePrompt(ProgramBody, kw_only=True):
    """What is asked; of it alone the tokens can be counted."""

    model: Annotated[str, msgspec.Meta(max_length=128)]
    messages: Annotated[list[InputMessage], msgspec.Meta(min_length=1, max_length=MAX_MESSAGES)]
    system: str | Annotated[list[TextBlock], msgspec.Meta(max_length=MAX_BLOCKS)] | None = None
    tools: Annotated[list[ToolParam], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    cache_control: Ignored = None
    context_management: Ignored = None
    speed: Literal["standard"] | None = None
    mcp_servers: None = None  # not there, as the next: a client may say null
    output_format: None = None

    def asked(self) -> Asked:
        """Raises BadRequest for what is well formed and not to be had here."""
        return Asked(
            model=self.model, turns=self._turns(), options=self._options(), max_tokens=None, thinking=self._thinking()
        )

    def _turns(self) -> list[Turn]:
        if self.messages[-1].role == "assistant":
            raise BadRequest("begun_answer_not_taken", field=f"messages[{len(self.messages) - 1}]")
        said = [turn for place, message in enumerate(self.messages) for turn in message.turns(place)]
        return [*system_turns(self.system), *said]

    def _thinking(self) -> Thinking:
        """As with Anthropic's own models, none where it is not asked for."""
        if self.thinking is None or self.thinking.type == "disabled":
            return False
        effort = self.output_config.effort if self.output_config else None
        return _EFFORTS[effort] if effort else True

    def _options(self) -> dict[str, object]:
        options: dict[str, object] = {}
        if self.tools:
            options["tools"] = [tool.passed() for tool in self.tools]
        if self.tool_choice:
            options["tool_choice"] = self.tool_choice.passed()
            if self.tool_choice.disable_parallel_tool_use:
                options["parallel_tool_calls"] = False
        if self.output_config and (wanted := self.output_config.format):
            named = {"name": "answer", "schema": wanted.schema}
            options["response_format"] = {"type": wanted.type, "json_schema": named}
        return options


class MessageRequest(MessagePrompt):
    max_tokens: Limit
    stream: bool | None = None
    stop_sequences: Annotated[list[Stop], msgspec.Meta(max_length=MAX_STOPS)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0)] | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    diagnostics: Ignored = None
    user_profile_id: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    container: None = None  # not there, as the next: a client may say null
    inference_geo: None = None

    def asked(self) -> Asked:
        return replace(super().asked(), max_tokens=self.max_tokens)

    def _options(self) -> dict[str, object]:
        given = {"temperature": self.temperature, "top_p": self.top_p, "stop": self.stop_sequences or None}
        return super()._options() | {name: value for name, value in given.items() if value is not None}


class CountedTokens(Reply):
    """About how many: an estimate of this server's own."""

    input_tokens: int
