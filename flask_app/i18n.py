"""The catalogues: flat JSON, one folder a language, one file an area of the pages."""

import json
import re
from functools import cache
from pathlib import Path

LOCALES = ("zh", "en")
DEFAULT_LOCALE = "zh"
ELSEWHERE = "en"  # for who reads none of LOCALES
_HAN = re.compile(r"[\u3400-\u9fff]")
_FOLDER = Path(__file__).parent / "locales"


@cache
def catalogue(locale: str) -> dict[str, str]:
    """Every sentence of one language, by key. A key that stands in two areas is an error."""
    merged: dict[str, str] = {}
    for path in sorted((_FOLDER / locale).glob("*.json")):
        area: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        if twice := merged.keys() & area.keys():
            raise ValueError(f"{path.name}: already defined: {sorted(twice)}")
        merged |= area
    return merged


def translate(locale: str, key: str, **params: object) -> str:
    """The sentence `key` in `locale` with `{name}` placeholders filled; raises KeyError for an unknown key."""
    sentence = catalogue(locale)[key]
    return sentence.format_map(params) if params else sentence


def language_of(words: str) -> str:
    """Which of LOCALES comes nearest to the language that somebody's words are in."""
    return "zh" if _HAN.search(words) else "en"


def for_javascript(locale: str) -> str:
    """The part of the catalogue that the browser's modules use, as JSON that is safe inside a script element."""
    words = {key: value for key, value in catalogue(locale).items() if key.startswith("js.")}
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")


def negotiate(preferred: str | None, accepted: list[str]) -> str:
    """The language to answer in: the person's choice, else the browser's first that exists.

    A browser that names others alone gets English, one that names none Chinese.
    """
    for tag in [preferred or "", *accepted]:
        if (primary := tag.lower().split("-")[0]) in LOCALES:
            return primary
    return ELSEWHERE if any(tag != "*" for tag in accepted) else DEFAULT_LOCALE
