"""The application's routes, as tests go through all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Flask


@dataclass(frozen=True)
class Route:
    method: str
    rule: str
    view: Any
    arguments: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def access(self) -> str:
        return str(self.view.access_rule)

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/")

    def path(self, **values: str) -> str:
        path = self.rule.replace("<path:", "<")
        for name in self.arguments:
            path = path.replace(f"<{name}>", values.get(name, "x"))
        return path

    def body(self) -> dict[str, Any] | None:
        """The smallest body that the view accepts; None where it takes none."""
        body_type = getattr(self.view, "body_type", None)
        if body_type is None:
            return None
        fields = msgspec.structs.fields(body_type)
        return {field.name: _least(msgspec.inspect.type_info(field.type)) for field in fields if field.required}


def _least(kind: msgspec.inspect.Type) -> Any:
    """A value that a field of this kind takes, where any word is not one."""
    match kind:
        case msgspec.inspect.LiteralType(values=values):
            return values[0]
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.IntType(ge=least):
            return least or 0
        case msgspec.inspect.UnionType(types=(first, *_)):
            return _least(first)
        case msgspec.inspect.ListType():
            return []
    return "x"


def all_of(app: Flask) -> Iterator[Route]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, rule.rule, app.view_functions[rule.endpoint], frozenset(rule.arguments))
