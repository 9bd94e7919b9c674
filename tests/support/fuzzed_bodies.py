"""Bodies that fit what the API's description says of them, and bodies that miss it in one place, drawn from it."""

import warnings
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import GenerationMode

from tests.support.fuzzed_api import BYTES, document

NAMES = {True: GenerationMode.POSITIVE, False: GenerationMode.NEGATIVE}


class Bodies:
    """`of(path)`: some of each kind, by the operation's name; the same `number` draws the same ones."""

    def __init__(self, count: int, number: int) -> None:
        self._found: dict[tuple[str, bool], list[Any]] = defaultdict(list)
        for result in schemathesis.openapi.from_dict(document()).get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]  # it is checked that each is described
            if operation.body and BYTES not in {body.media_type for body in operation.body}:  # a file says what it is
                for fits in (True, False):
                    name = f"{operation.method.upper()} {operation.path}"
                    self._found[name, fits] = _drawn(operation, count, number, fits=fits)

    def of(self, name: str, *, fits: bool) -> list[Any]:
        return self._found[name, fits]


def _drawn(operation: Any, count: int, number: int, *, fits: bool) -> list[Any]:
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=NAMES[fits]))
    def draw(case: Any) -> None:
        found.append(case.body)

    draw()
    return found
