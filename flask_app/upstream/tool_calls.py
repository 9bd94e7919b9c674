"""Calls of functions in a stream, told apart also where a provider numbers them badly, or not at all."""

import secrets
from collections.abc import Callable

import msgspec

from flask_app.domain.events import ToolCall

NULL = msgspec.Raw(b"null")
MAX_INDEX = 1 << 16
MAX_NUMBER_BYTES = 34  # as it is written: 32 letters in quotation marks


class UnreadableCalls(Exception):
    """A list of calls that is none: what is in it would be lost, and its program wait for it."""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: msgspec.Raw = NULL


class _Piece(msgspec.Struct):
    index: msgspec.Raw = NULL
    id: str | None = None
    function: _Function | None = None


class _Call(msgspec.Struct):
    """What is known of one. `given` and `number`: as it was begun; `is_whole`: all of its arguments came at once."""

    index: int
    given: str | None
    number: int | str | None
    name: str | None
    is_whole: bool


_decode = msgspec.json.Decoder(list[_Piece]).decode
_decode_number: Callable[[msgspec.Raw], int | str | None] = msgspec.json.Decoder(int | str | None).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Calls:
    """Those of one answer, by numbers and ids of their own, each of which is told once."""

    __slots__ = ("_by_id", "_by_index", "_last", "_next", "_taken")

    def __init__(self) -> None:
        self._by_id: dict[str, _Call] = {}
        self._by_index: dict[int | str, _Call] = {}  # as the provider numbers them
        self._last: _Call | None = None
        self._taken: set[int] = set()
        self._next = 0  # above all that are taken

    def read(self, raw: bytes) -> list[ToolCall]:
        """Raises UnreadableCalls for a list that is not empty; what is no list nobody has asked for."""
        if not raw.startswith(b"["):
            return []
        try:
            return [self._told(piece) for piece in _decode(raw)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableCalls from error

    def _told(self, piece: _Piece) -> ToolCall:
        function, number = piece.function or _Function(), _number(piece.index)
        arguments, name = _text_of(function.arguments), function.name or None
        is_whole = name is not None and _is_object(arguments)
        call = self._found(piece.id, number, name, is_whole=is_whole)
        if call is None:
            return self._begun(piece.id, number, name, arguments, is_whole=is_whole)
        self._last, told = call, None if name == call.name else name
        call.name, call.is_whole = name or call.name, call.is_whole and not arguments
        return ToolCall(call.index, None, told, arguments)

    def _found(
        self, call_id: str | None, number: int | str | None, name: str | None, *, is_whole: bool
    ) -> _Call | None:
        """The call that it goes on with. Some tell a new id with each piece: only with a name it is a call's first."""
        call = self._last if number is None else self._by_index.get(number)
        if call_id and (known := self._by_id.get(call_id)):
            if number is not None and call and call.given == call_id:
                return call
            if name is None or number in (None, known.number):
                return known
        if call is None or name is None:
            return call
        is_another = call_id or number is None or name != (call.name or name) or (is_whole and call.is_whole)
        return None if is_another and call.name else call

    def _begun(
        self, call_id: str | None, number: int | str | None, name: str | None, arguments: str, *, is_whole: bool
    ) -> ToolCall:
        """An id that another has is given to no second one."""
        own = self._next
        if isinstance(number, int) and 0 <= number < MAX_INDEX and number not in self._taken:
            own = number
        call = self._last = _Call(own, call_id, number, name, is_whole)
        self._taken.add(call.index)
        self._next = max(self._next, call.index + 1)
        if number is not None:
            self._by_index[number] = call
        if not call_id or self._by_id.setdefault(call_id, call) is not call:
            call_id = f"call_{secrets.token_hex(12)}"
        return ToolCall(call.index, call_id, name, arguments)


def _number(index: msgspec.Raw) -> int | str | None:
    """None where it tells none from another, or is longer than one that does: it is kept."""
    if len(memoryview(index)) > MAX_NUMBER_BYTES:
        return None
    try:
        return _decode_number(index)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _text_of(arguments: msgspec.Raw) -> str:
    """Some write them as an object, not as a text that is one."""
    if arguments == NULL:
        return ""
    raw = bytes(arguments)
    return _decode_text(raw) if raw.startswith(b'"') else raw.decode()


def _is_object(text: str) -> bool:
    try:
        return bool(_decode_object(text) or text)
    except (msgspec.DecodeError, RecursionError):
        return False
