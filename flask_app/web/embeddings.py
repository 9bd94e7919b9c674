"""Requests for embeddings as OpenAI's clients write them, checked field by field, and as the service takes them."""

from typing import Annotated, Literal

import msgspec

from flask_app.errors import BadRequest
from flask_app.services.chat.prompts import Turn
from flask_app.services.gateway.gateway_service import Asked
from flask_app.web.bodies import encoded
from flask_app.web.completions import PassingBody

MAX_INPUTS, MAX_DIMENSIONS = 2048, 65_536

TokenId = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Tokens = Annotated[list[TokenId], msgspec.Meta(min_length=1)]


class EmbeddingRequest(PassingBody):
    model: Annotated[str, msgspec.Meta(max_length=128)]
    input: Text | Annotated[list[Text | TokenId | Tokens], msgspec.Meta(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=MAX_DIMENSIONS)] | None = None
    user: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    stream: Literal[False] | None = None  # it is answered whole

    def asked(self) -> Asked:
        """Raises BadRequest for inputs of several kinds, and for too many."""
        given = {"input": self.input, "encoding_format": self.encoding_format, "dimensions": self.dimensions}
        return Asked(
            model=self.model,
            turns=[Turn("input", each if isinstance(each, str) else encoded(each).decode()) for each in self._inputs()],
            options={name: value for name, value in given.items() if value is not None},
            beside=self.beside,
            max_tokens=None,
            operation="embeddings",
        )

    def _inputs(self) -> list[str | list[int]]:
        if isinstance(self.input, str):
            return [self.input]
        if len({type(each) for each in self.input}) > 1:
            raise BadRequest("mixed_inputs", field="input")
        if isinstance(self.input[0], int):
            return [self.input]  # type: ignore[list-item]
        if len(self.input) > MAX_INPUTS:
            raise BadRequest("too_many_inputs", field="input", limit=MAX_INPUTS)
        return self.input  # type: ignore[return-value]
