"""Requests of OpenAI's Responses API, checked field by field, and as the service takes them.

A field that is not named here is refused by name; docs/gateway.md says what becomes of each.
"""

from typing import Annotated, Any, Literal

import msgspec

from flask_app.domain.serving import Thinking
from flask_app.errors import BadRequest
from flask_app.services.gateway.gateway_service import Asked
from flask_app.services.gateway.response_objects import Terms
from flask_app.web import response_tools
from flask_app.web.bodies import Body, ProgramBody
from flask_app.web.completions import MAX_MESSAGES, MAX_TOOLS, Limit, Metadata, Sent, Word
from flask_app.web.response_items import Ignored, input_turns, instructions_turns
from flask_app.web.response_tools import AllowedTools, AnyTool, FunctionChoice, WebSearchTool

# What needs that something was kept of an answer.
KEPT = ("previous_response_id", "conversation", "prompt", "background", "store")
_EFFORTS: dict[str, Thinking] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "high",
    "high": "high",
    "xhigh": "high",
    "max": "max",
    "ultra": "max",
}

# Beside the thoughts, which are told anyway, it is of tools that are not there.
Included = Literal[
    "reasoning.encrypted_content",
    "web_search_call.results",
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "message.input_image.image_url",
]


class TextFormat(Sent):
    """`name` and `schema` with the type "json_schema" alone."""

    type: Literal["text", "json_object", "json_schema"]
    name: Word | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None

    def passed(self) -> dict[str, object]:
        if self.type != "json_schema":
            return {"type": self.type}
        if self.name is None or self.schema is None:
            raise BadRequest("missing_schema", field="text.format")
        optional = {"description": self.description, "strict": self.strict}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"type": self.type, "json_schema": {"name": self.name, "schema": self.schema, **given}}


class TextConfig(Sent):
    """`verbosity` has no effect."""

    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningConfig(Sent):
    """All but `effort` has no effect: thoughts are told as they are."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"] | None = None
    summary: Literal["auto", "concise", "detailed", "none"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: Literal["standard"] | None = None


class ObfuscationOptions(Body):
    include_obfuscation: bool | None = None


class ResponseRequest(ProgramBody):
    model: Annotated[str, msgspec.Meta(max_length=128)]
    input: str | Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1, max_length=MAX_MESSAGES)]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: ObfuscationOptions | None = None
    max_output_tokens: Limit | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    tools: Annotated[list[AnyTool], msgspec.Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | FunctionChoice | AllowedTools | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: ReasoningConfig | None = None
    metadata: Metadata | None = None
    user: Word | None = None
    prompt_cache_key: Word | None = None
    safety_identifier: Word | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    prompt_cache_options: Ignored = None
    truncation: Literal["auto", "disabled"] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] | None = None
    include: Annotated[list[Included], msgspec.Meta(max_length=16)] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=0)] | None = None
    client_metadata: Ignored = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: Any = None
    conversation: Any = None
    prompt: Any = None
    max_tool_calls: None = None  # not there, as the next: a client may say null
    context_management: None = None
    moderation: None = None
    image: None = None
    access_programs: None = None
    background_options: None = None

    def asked(self) -> Asked:
        """Raises BadRequest for what is well formed and not to be had here."""
        for field in KEPT:
            if getattr(self, field) not in (None, False):
                raise BadRequest("nothing_kept", field=field)
        return Asked(
            model=self.model,
            turns=[*instructions_turns(self.instructions), *input_turns(self.input)],
            options=self._options(),
            max_tokens=self.max_output_tokens,
            thinking=_EFFORTS[self._effort] if self._effort else None,
        )

    def terms(self) -> Terms:
        """What the response says of its request."""
        kept = [tool for tool in self.tools or () if not isinstance(tool, WebSearchTool)]
        told = {
            **{name: getattr(self, name) for name in _TOLD},
            "metadata": self.metadata or {},
            "parallel_tool_calls": self.parallel_tool_calls is not False,
            "reasoning": msgspec.to_builtins(self.reasoning) if self.reasoning else {},
            "text": {"format": {"type": "text"}} | (msgspec.to_builtins(self.text) if self.text else {}),
            "tool_choice": self.tool_choice or "auto",
            "tools": kept,
        }
        return Terms(told, response_tools.names(kept))

    def _options(self) -> dict[str, object]:
        given = {"temperature": self.temperature, "top_p": self.top_p, "reasoning_effort": self._effort}
        options: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        if self.text and self.text.format:
            options["response_format"] = self.text.format.passed()
        return options | self._tools()

    def _tools(self) -> dict[str, object]:
        """Nothing is said of tools where there are none: providers refuse it."""
        choice = self.tool_choice.mode if isinstance(self.tool_choice, AllowedTools) else self.tool_choice
        tools = response_tools.passed(self.tools or (), self.tool_choice)
        if not tools:
            if choice not in (None, "none", "auto"):
                raise BadRequest("no_tool_to_choose", field="tool_choice")
            return {}
        chosen = choice.passed(self.tools or ()) if isinstance(choice, FunctionChoice) else choice
        given = {"tools": tools, "tool_choice": chosen, "parallel_tool_calls": self.parallel_tool_calls}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def _effort(self) -> str | None:
        return self.reasoning.effort if self.reasoning else None


# What a response repeats as it came.
_TOLD = ("instructions", "max_output_tokens", "prompt_cache_key", "temperature", "top_p", "user")
