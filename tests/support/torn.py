"""Bodies that somebody has torn, mixed up and put together again: what fuzzed requests have in common."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

MODEL = "deepseek-flash"
PICTURE = "data:image/png;base64,aGVsbG8="
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, -(2**63), 1e308, -0.0, 0.1),
    *("", "x", "\x00", "é字😀", " \n\u202e", "x" * 3000, "'; DROP TABLE users; --", "%s%n{0}${x}", "../../etc/passwd"),
    *([], {}, [[]], [{}], {"": ""}, [None] * 50),
    *("user", "assistant", "tool", "text", "image_url", "function", "json_schema", "any", "none", PICTURE, MODEL),
    *("http://127.0.0.1/", "https://a.example/" + "x" * 3000, "data:image/svg+xml;base64,aGVsbG8="),
    "file:///etc/passwd",
)
RAW = (
    *(b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{}" * 9, b"[" * 5000, b'{"a":' * 3000),
    *(b'{"model":NaN}', b'{"n":1e999}', b'{"n":' + b"9" * 5000 + b"}", b'{"a":1,"a":2}', b'{"a":"\\ud800"}'),
    b"\x00" * 99,
)
_NAMES = ("type", "role", "content", "name", "input", "user", "stream", "logit_bias", "metadata", "id", "\x00")
_BETWEEN = (b"\xff", b"\\", b'"', b"}", b"\x00", b"\xed\xa0\x80", b"1e9")


class Tearing:
    """Spoils what it is given, as `random` draws."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def spoil(self, body: dict[str, Any]) -> None:
        """One place of it, however deep, becomes something else, goes, or gets a neighbour."""
        inside, key = self._random.choice(list(_places(body)))
        change: Callable[[], object] = self._random.choice(
            [
                lambda: inside.__setitem__(key, deepcopy(self._random.choice(ODD))),
                lambda: inside.__setitem__(key, [inside[key], deepcopy(inside[key])]),
                lambda: inside.__setitem__(key, {"type": inside[key]}),
                lambda: inside.__delitem__(key),
                lambda: self._add(inside),
            ]
        )
        change()
        if not body:
            body["model"] = MODEL

    def torn(self, raw: bytes) -> bytes:
        """A piece of it is lost, doubled or another."""
        start = self._random.randrange(len(raw) + 1)
        end = min(start + self._random.choice((0, 1, 1, 2, 30)), len(raw))
        between = self._random.choice((b"", raw[start:end] * 2, *_BETWEEN))
        return raw[:start] + between + raw[end:]

    def _add(self, inside: Any) -> None:
        value = deepcopy(self._random.choice(ODD))
        if isinstance(inside, list):
            inside.append(value)
        else:
            inside[self._random.choice(_NAMES)] = value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place within: what it is in, and its key there."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for key, inner in items:
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
