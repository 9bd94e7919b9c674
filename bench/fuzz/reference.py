"""The decoder's twin: plain code that reads a whole stream at once, made to be compared with and not to be fast."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask_app.domain.events import Event, Failed, Finished, Reasoning, Served, Token, ToolCall, Usage
from flask_app.domain.sse import BYTE_ORDER_MARK
from flask_app.upstream.counts import MAX_TOKENS

NamedData = tuple[bytes, bytes]  # name (empty where the event has none), data

DEEPEST = 200  # how deeply JSON may be nested is the parser's own affair


class Undecided(Exception):
    """Parsers may differ here: letters that are none, a key given twice, JSON nested very deeply, or kept as it is."""


class Unreadable(Exception):
    """No chunk of a chat completion; `events` came with what of it can be read."""

    events: tuple[Event, ...] = ()


@dataclass
class Whole:
    """The events of a stream; `too_large`: the one after them is larger than the limit."""

    events: list[NamedData] = field(default_factory=list)
    too_large: bool = False


def decoded(stream: bytes, limit: int) -> Whole:
    """The standard's own words, a line at a time, over the whole stream at once."""
    whole = Whole()
    for lines, size in _blocks(stream):
        if size > limit:
            whole.too_large = True
            break
        event = _event(lines)
        if event is not None:
            whole.events.append(event)
    return whole


def _blocks(stream: bytes) -> Iterator[tuple[list[bytes], int]]:
    """The lines between blank ones, and how many bytes they are; the last block may lack its blank line."""
    text = stream.removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines: list[bytes] = []
    odd = 0  # of several blank lines before an event every second counts to it
    for line in text.removesuffix(b"\n").split(b"\n"):
        if line:
            lines.append(line)
        elif lines:
            yield lines, odd + sum(map(len, lines)) + len(lines) - 1
            lines, odd = [], 0
        else:
            odd = 1 - odd
    if lines:
        yield lines, odd + sum(map(len, lines)) + len(lines) - 1


def _event(lines: list[bytes]) -> NamedData | None:
    data: list[bytes] = []
    name = b""
    for line in lines:
        if line.startswith(b":"):
            continue
        label, colon, value = line.partition(b":")
        value = value[1:] if colon and value[:1] == b" " else value
        if label == b"data":
            data.append(value)
        elif label == b"event":
            name = value
    if not data:
        return None
    return b"" if name == b"message" else name, b"\n".join(data)


def chunk_of(payload: bytes) -> list[Event]:
    """The events of one payload. Raises Unreadable or Undecided."""
    chunk = _parsed(payload)
    model = _name(chunk.get("model"))
    events: list[Event] = [Served(model)] if model else []
    text, reasoning = "", ""
    fault: Unreadable | None = None
    for choice in _typed(chunk.get("choices"), list) or []:
        delta = _typed(_object(choice).get("delta"), dict) or {}
        text += _typed(delta.get("content"), str) or ""
        reasoning += _typed(delta.get("reasoning_content"), str) or _text(delta.get("reasoning"))
        try:
            events += _calls(delta.get("tool_calls"))
        except Unreadable as error:
            fault = error
        if reason := _typed(choice.get("finish_reason"), str):
            events.append(Finished(reason))
    usage = _usage(chunk.get("usage"))
    events += [usage] if usage else []
    events += [] if chunk.get("error") is None else [Failed("upstream_failed")]
    told = [*([Reasoning(reasoning)] if reasoning else []), *([Token(text)] if text else []), *events]
    if fault:
        fault.events = tuple(told)
        raise fault
    return told


def _name(told: Any) -> str:
    """Letters, marks, numbers, punctuation and symbols; 128 of them, or 127 and a sign that there were more."""
    if not isinstance(told, str):
        return ""
    told = told.strip()
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in told[:129])
    name = re.sub(" +", " ", shown).strip()
    return name if len(told) < 129 else name[:127].strip() + "…"


def _calls(told: Any) -> list[ToolCall]:
    """Pieces of calls of functions; where one makes no sense all are unreadable, where there is no list there are none.

    To which call each belongs is not said here.
    """
    return [_call(_object(call)) for call in told] if isinstance(told, list) else []


def _call(told: dict[str, Any]) -> ToolCall:
    function = _typed(told.get("function"), dict) or {}
    _typed(told.get("id"), str), _typed(function.get("name"), str)
    arguments = function.get("arguments")
    if not isinstance(arguments, str | None):
        raise Undecided  # they go on as they are written
    return ToolCall(0, arguments=arguments or "")


def _parsed(payload: bytes) -> dict[str, Any]:
    if payload.count(b"[") + payload.count(b"{") > DEEPEST:
        raise Undecided
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise Undecided from error
    try:
        parsed = json.loads(text, parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_object_of)
    except ValueError as error:
        raise Unreadable from error
    if not _is_text(parsed):
        raise Unreadable
    return _object(parsed)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _integer(digits: str) -> int:
    return int(digits) if len(digits) < 20 else MAX_TOKENS  # Python would refuse thousands of digits


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Undecided
    return found


def _is_text(value: Any) -> bool:
    """Are all strings in it text? JSON can write half a character."""
    match value:
        case str():
            return not any("\ud800" <= letter <= "\udfff" for letter in value)
        case dict():
            return all(_is_text(key) and _is_text(inner) for key, inner in value.items())
        case list():
            return all(map(_is_text, value))
    return True


def _typed(value: Any, kind: type) -> Any:
    if value is None or isinstance(value, kind):
        return value
    raise Unreadable


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable
    return value


def _usage(told: Any) -> Usage | None:
    if not isinstance(told, dict):
        return None
    prompt, completion = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    cached, reasoning = _parts(told)
    if _count(told.get("total_tokens")) == prompt + completion + reasoning:  # counted beside the completion
        completion += reasoning
    return Usage(prompt, min(cached, prompt), completion, min(reasoning, completion))


def _parts(told: dict[str, Any]) -> tuple[int, int]:
    """Cached and reasoning tokens; nothing of either where one part makes no sense."""
    inner = [told.get("prompt_tokens_details"), told.get("completion_tokens_details")]
    if not all(part is None or isinstance(part, dict) for part in inner):
        return 0, 0
    prompt, completion = (part or {} for part in inner)
    parts = told.get("prompt_cache_hit_tokens"), prompt.get("cached_tokens"), completion.get("reasoning_tokens")
    deepseek, openai, reasoning = map(_count, parts)
    if [deepseek, openai, reasoning].count(None) > parts.count(None):
        return 0, 0
    return (openai or 0) if deepseek is None else deepseek, reasoning or 0


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < MAX_TOKENS else None
