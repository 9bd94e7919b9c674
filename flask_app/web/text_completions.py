"""Requests to go on with a text as OpenAI's older clients and editors write them, checked field by field."""

from typing import Annotated, Literal

import msgspec

from flask_app.errors import BadRequest
from flask_app.services.chat.prompts import Turn
from flask_app.services.gateway.gateway_service import Asked
from flask_app.web.completions import MAX_STOPS, Limit, PassingBody, Penalty, Stop, StreamOptions

USUAL_TOKENS = 16  # as OpenAI has it where nothing is said
PASSED = (
    *("prompt", "suffix", "temperature", "top_p", "frequency_penalty", "presence_penalty"),
    *("stop", "seed", "logprobs"),
)

Text = Annotated[str, msgspec.Meta(min_length=1)]


class TextCompletionRequest(PassingBody):
    model: Annotated[str, msgspec.Meta(max_length=128)]
    prompt: Text | Annotated[list[Text], msgspec.Meta(min_length=1, max_length=1)]
    suffix: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Limit | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    stop: Stop | Annotated[list[Stop], msgspec.Meta(max_length=MAX_STOPS)] | None = None
    seed: int | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    echo: Literal[False] | None = None
    n: int | None = None
    best_of: int | None = None
    user: Annotated[str, msgspec.Meta(max_length=512)] | None = None

    def asked(self) -> Asked:
        """Raises BadRequest for more than one text."""
        for name in ("n", "best_of"):
            if getattr(self, name) not in {None, 1}:
                raise BadRequest("one_choice_only", field=name)
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        given = {name: getattr(self, name) for name in PASSED} | {"prompt": prompt}
        return Asked(
            model=self.model,
            turns=[Turn("prompt", prompt), *([Turn("suffix", self.suffix)] if self.suffix else [])],
            options={name: value for name, value in given.items() if value is not None and value != []},
            beside=self.beside,
            max_tokens=self.max_tokens or USUAL_TOKENS,
            operation="text_completion",
        )

    @property
    def tells_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage
