"""Fields of a request that this server does not know: they go to the provider as they came (decision 101).

What would ask for something else than this server knows of, or have it billed, is refused by name, and so is whatever
a lenient reader could take for a field that is known: some do not tell `maxTokens` from `max_tokens`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from flask_app.errors import BadRequest

Path = tuple[str | int, ...]
Found = dict[Path, dict[str, Any]]  # by the place of the object that they stand in

MAX_FIELDS, MAX_BYTES = 32, 1 << 16  # of the request itself: providers know some hundred names, all of them short
MAX_NESTED_FIELDS, MAX_NESTED_BYTES = 4096, 1 << 18  # of all that is in it, and of one object: thoughts are long
MAX_DEPTH = 32

# Left out: what a client's own package adds to an answer before it is sent back.
_CLIENTS_OWN = frozenset({"parsed", "parsedarguments"})
_REFUSED = frozenset(
    {
        # what some of the calls know and others do not
        *("messages", "prompt", "input", "stream", "streamoptions", "n", "maxtokens", "maxcompletiontokens", "tools"),
        *("toolchoice", "functions", "functioncall", "store", "metadata", "user", "safetyidentifier"),
        # who is asked, and who asks
        *("models", "route", "provider", "providers", "fallbacks", "preset", "engine", "deploymentid", "userid"),
        *("accessprograms", "lorarequest", "extrabody", "extraheaders", "extraquery", "options", "provideroptions"),
        *("contextwindowfallbackdict", "contentpolicyfallbacks", "userconfig", "customllmprovider", "modellist"),
        *("apibase", "baseurl", "apikey", "apiversion", "inferencegeo", "lora", "lorapath", "bootstraphost"),
        *("bootstrapport", "bootstraproom", "mockresponse", "mocktoolcalls", "mocktimeout"),
        # how much may be answered, and how often
        *("maxoutputtokens", "maxnewtokens", "maxlength", "maxtokenstosample", "numpredict", "npredict", "maxgentoks"),
        *("candidatecount", "numcompletions", "ncompletions", "numreturnsequences", "numgenerations", "bestof", "echo"),
        "ncmpl",
        *("usebeamsearch", "promptlogprobs", "promptembeds", "chattemplate", "numctx"),
        # what a provider does, looks up or runs by itself, and bills
        *("websearch", "websearchoptions", "enablesearch", "searchoptions", "searchparameters", "searchsettings"),
        *("searchmode", "plugins", "enablecodeinterpreter", "compoundcustom", "mcpservers", "connectors", "moderation"),
        *("mmprocessorkwargs", "mediaiokwargs", "vlhighresolutionimages", "enabledeepsearch", "returnimages"),
        *("enableenhancement", "forcesearchenhancement", "container"),
        # when and how it is answered
        *("background", "backgroundoptions", "deferred", "async", "webhook", "priority", "servicetier", "speed"),
        *("incrementaloutput", "logitsprocessors", "vllmxargs", "kvtransferparams", "requestid"),
    }
)
# In messages, parts and tools: what would be shown, fetched or begun without being counted.
_REFUSED_INSIDE = frozenset({"prefix", "partial", "pixels", "minpixels", "maxpixels", "fps", "attachments"})
# In objects of the request that nobody here knows: providers look into some as they do into the request itself.
_REFUSED_BELOW = _REFUSED | {"model"}
# Whose own names are the program's: schemas, letters, sources. And how long thoughts may be is a part of an answer.
_OWN_NAMES = frozenset({"guidedjson", "json", "jsonschema", "schema", "logitbias", "documents", "reasoning"})
_SHOWN = ("image", "audio", "video", "file", "url")

_object, _list = msgspec.json.Decoder(dict[str, msgspec.Raw]), msgspec.json.Decoder(list[msgspec.Raw])


class Passing(msgspec.Struct, kw_only=True, forbid_unknown_fields=False):
    """What may have fields that are not named."""


def found(raw: bytes, body: Passing) -> Found:
    """Those of a body that was read as `body`. Raises BadRequest for what is not passed on."""
    every = dict(_found(msgspec.Raw(raw), body, ()))
    own, nested = every.get((), {}), [fields for place, fields in every.items() if place]
    if len(own) > MAX_FIELDS or sum(map(len, nested)) > MAX_NESTED_FIELDS:
        raise BadRequest("too_many_unknown_fields", field=next(iter(own or nested[0])))
    return every


def merge(target: dict[str, Any], given: Found, *place: str | int) -> None:
    """Into what was made of the object at `place`, and of what is in it. What is known stays as it is."""
    for path, fields in given.items():
        if path[: len(place)] == place and (into := _at(target, path[len(place) :])) is not None:
            into |= {name: value for name, value in fields.items() if name not in into}


def _at(target: Any, path: Path) -> dict[str, Any] | None:
    for step in path:
        if isinstance(target, dict) and step not in target:
            return None
        target = target[step]
    return target if isinstance(target, dict) else None


def _found(raw: msgspec.Raw, read: Any, place: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Side by side: what came, and what was read of it."""
    if isinstance(read, Passing):
        came, names = _object.decode(raw), _names(type(read))
        if unknown := {name: each for name, each in came.items() if name not in names}:
            yield place, _checked(unknown, names, place)
        for name in came:
            if name in names and isinstance(inner := getattr(read, name, None), list | Passing):
                yield from _found(came[name], inner, (*place, name))
    elif isinstance(read, list) and read and isinstance(read[0], msgspec.Struct):
        for number, each in enumerate(_list.decode(raw)):
            yield from _found(each, read[number], (*place, number))


@cache
def _names(kind: type[msgspec.Struct]) -> frozenset[str]:
    tag = kind.__struct_config__.tag_field
    return frozenset({*kind.__struct_encode_fields__, *([tag] if tag else [])})


def _checked(unknown: Mapping[str, msgspec.Raw], known: frozenset[str], place: Path) -> dict[str, Any]:
    """Clients write null for what they do not set."""
    sizes = {name: len(memoryview(raw)) + len(name) for name, raw in unknown.items()}
    if sum(sizes.values()) > (MAX_NESTED_BYTES if place else MAX_BYTES):
        raise BadRequest("too_many_unknown_fields", field=_written((*place, max(sizes, key=sizes.__getitem__))))
    alike = {_folded(name) for name in known}
    values = {name: msgspec.json.decode(raw) for name, raw in unknown.items() if _folded(name) not in _CLIENTS_OWN}
    for name, value in values.items():
        if value is not None and (_is_refused(_folded(name), alike, inside=bool(place)) or _depth(value) > MAX_DEPTH):
            raise BadRequest("field_not_passed", field=_written((*place, name)))
    if not place and (below := next(_refused_below(values, ()), None)):
        raise BadRequest("field_not_passed", field=_written(below))
    return {name: value for name, value in values.items() if value is not None}


def _is_refused(name: str, known: set[str], *, inside: bool) -> bool:
    if name in known or not name:
        return True
    if inside:
        return name in _REFUSED_INSIDE or any(kind in name for kind in _SHOWN)
    return name in _REFUSED


def _refused_below(value: Any, place: Path) -> Iterator[Path]:
    """Places of names that are refused in `value`, which is no deeper than it may be."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _refused_below(each, (*place, number))
    elif isinstance(value, dict):
        for name, each in value.items():
            folded = _folded(name)
            if each is not None and folded in _REFUSED_BELOW:
                yield (*place, name)
            if folded not in _OWN_NAMES:
                yield from _refused_below(each, (*place, name))


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _depth(value: Any) -> int:
    """No deeper than the body may be."""
    if not isinstance(value, dict | list) or not value:
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value))


def _written(place: Path) -> str:
    """As other failures name a field: `messages[0].colour`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")[:200]
