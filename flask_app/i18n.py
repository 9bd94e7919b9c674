"""The catalogues: flat JSON, one folder a language, one file an area of the pages."""

import json
import re
from functools import cache
from pathlib import Path

NAMES = {"zh": "简体中文", "zh-Hant": "繁體中文", "en": "English", "ja": "日本語"}  # each as its own readers write it
LOCALES = tuple(NAMES)
DEFAULT_LOCALE = "zh"
ELSEWHERE = "en"  # for who reads none of LOCALES
# What only the modules of the administration's pages say, `static/js/admin/`.
ADMINISTRATION = ("js.admin.", "js.audit.", "js.reconciliation.", "js.warnings.")
_TRADITIONAL_IN = {"tw", "hk", "mo"}
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
# Frequent characters, each with another form in the other script.
_SIMPLIFIED = re.compile(
    "[这们个为时来说国会学对过发点还开现问长东车门电话语请让吗么样应该动经种与关头见写给认识书买卖钱气]"
)
_TRADITIONAL = re.compile(
    "[這們個為時來說國會學對過發點還開現問長東車門電話語請讓嗎麼樣應該動經種與關頭見寫給認識書買賣錢氣]"
)
_FOLDER = Path(__file__).parent / "locales"


def files() -> list[Path]:
    """Where all sentences of all languages stand, in an order that is always the same."""
    return sorted(_FOLDER.glob("*/*.json"))


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
    """Which of LOCALES comes nearest to the language that somebody's words are in.

    A few kana among many Han characters are a quotation: a Japanese sentence has about as many of both.
    """
    han, kana, simplified, traditional = (
        len(script.findall(words)) for script in (_HAN, _KANA, _SIMPLIFIED, _TRADITIONAL)
    )
    if kana > han / 4:
        return "ja"
    if han == 0:
        return "en"
    return "zh-Hant" if traditional > simplified else "zh"


def tag(locale: str) -> str:
    """What `lang` attributes and the browser's formatters call one of LOCALES (BCP 47)."""
    return "zh-CN" if locale == "zh" else locale


def for_javascript(locale: str, *, for_administration: bool = False) -> str:
    """The part of the catalogue that a page's modules use, as JSON."""
    left_out = () if for_administration else ADMINISTRATION
    words = {
        key: value for key, value in catalogue(locale).items() if key.startswith("js.") and not key.startswith(left_out)
    }
    return json.dumps(words, ensure_ascii=False)


def negotiate(preferred: str | None, accepted: list[str]) -> str:
    """The language to answer in: the person's choice, else the browser's first that exists.

    A browser that names others alone gets English, one that names none Chinese.
    """
    for asked in [preferred or "", *accepted]:
        if found := _matching(asked):
            return found
    return ELSEWHERE if any(asked != "*" for asked in accepted) else DEFAULT_LOCALE


def chosen(locale: str | None) -> str:
    """The language that somebody chose; the default where it is none, or one that only a newer version has."""
    return negotiate(locale, [])


def _matching(asked: str) -> str | None:
    """The one of LOCALES that a language tag means: Chinese by its script, or by where it is written so."""
    primary, *rest = asked.lower().split("-")
    if primary == "zh" and "hans" not in rest and not _TRADITIONAL_IN.union({"hant"}).isdisjoint(rest):
        return "zh-Hant"
    return primary if primary in LOCALES else None
