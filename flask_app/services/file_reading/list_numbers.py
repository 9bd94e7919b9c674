"""The numbers of lists in a Word document, which stand in none of its words: Word counts them as it draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_VALUE, _ID = f"{_WORD}val", f"{_WORD}styleId"
_BULLET, _MOST_STYLES, _MOST_DIGITS, _LEVELS = "•", 20, 10, 9
_DIGITS, _STEMS, _CIRCLED = "〇一二三四五六七八九", "甲乙丙丁戊己庚辛壬癸", 0x245F
_CHINESE = {
    f"{land}{name}"
    for land in ("chinese", "japanese", "taiwanese")
    for name in ("Counting", "CountingThousand", "CountingSystem")
}
_ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    form: str
    words: str
    style: str | None


@dataclass(slots=True)
class _List:
    """What several of a document's numberings may go on counting in. `levels` by their depth, from 0."""

    levels: dict[int, _Level]
    counted: dict[int, int] = field(default_factory=dict)


class Numbers:
    """Told of each paragraph in its order, it says what number it has."""

    def __init__(self, numbering: Any, styles: Any) -> None:
        """Of the roots of `numbering.xml` and `styles.xml`; None where there is none."""
        abstract = {} if numbering is None else _by(numbering, "abstractNum", f"{_WORD}abstractNumId")
        lists = {key: _List(_levels(each)) for key, each in abstract.items()}
        linked = {link: lists[key] for key, each in abstract.items() if (link := _value(each, "styleLink"))}
        lists |= {
            key: linked[link] for key, each in abstract.items() if (link := _value(each, "numStyleLink")) in linked
        }
        self._lists: dict[str, _List] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        for key, each in ({} if numbering is None else _by(numbering, "num", f"{_WORD}numId")).items():
            self._lists[key] = lists.get(_value(each, "abstractNumId") or "") or _List({})
            self._restarts[key] = _overrides(each)
        self._styles = {} if styles is None else _by(styles, "style", _ID)

    def of(self, paragraph: Any) -> str:
        """Empty where it has none."""
        key, depth = self._place(paragraph)
        if key not in self._lists:
            return ""
        level = self._lists[key].levels.get(depth)
        if level is None or level.form == "none":
            return ""
        counted = self._count(key, depth)
        return _BULLET if level.form == "bullet" else self._written(self._lists[key], level, counted)

    def _place(self, paragraph: Any) -> tuple[str, int]:
        """Its numbering and how deep it is there: its own, or that of its style, or of what that rests on."""
        holder, depth = paragraph, None
        for _ in range(_MOST_STYLES):
            about = holder.find(f"{_WORD}pPr")
            numbered = None if about is None else about.find(f"{_WORD}numPr")
            depth = depth or _value(numbered, "ilvl")
            if (key := _value(numbered, "numId")) is not None:
                return key, self._depth(key, depth, holder.get(_ID))
            rests_on = _value(about, "pStyle") if holder is paragraph else _value(holder, "basedOn")
            holder = self._styles.get(rests_on or "")
            if holder is None:
                break
        return "", 0

    def _depth(self, key: str, depth: str | None, style: str | None) -> int:
        """That of a style is where the numbering names it."""
        levels = self._lists[key].levels if key in self._lists else {}
        named = (each for each, level in levels.items() if style and level.style == style)
        return _whole(depth, 0) if depth is not None else next(named, 0)

    def _count(self, key: str, depth: int) -> dict[int, int]:
        listed = self._lists[key]
        counted = listed.counted
        anew = self._restarts[key].pop(depth, None)
        start = listed.levels[depth].start
        counted[depth] = anew if anew is not None else counted.get(depth, start - 1) + 1
        for deeper in [each for each in counted if each > depth]:
            del counted[deeper]
        return counted

    @staticmethod
    def _written(listed: _List, level: _Level, counted: Mapping[int, int]) -> str:
        words = level.words
        for depth, each in listed.levels.items():
            place = f"%{depth + 1}"
            if place in words:
                words = words.replace(place, _numeral(counted.get(depth, each.start), each.form))
        return words.strip()


def _by(parent: Any, name: str, key: str) -> dict[str, Any]:
    return {each.get(key, ""): each for each in parent.iterchildren(f"{_WORD}{name}")}


def _value(parent: Any, name: str) -> str | None:
    found = None if parent is None else parent.find(f"{_WORD}{name}")
    return None if found is None else found.get(_VALUE)


def _whole(value: str | None, usual: int) -> int:
    """What is no number, in a file that is damaged, is as if it were not there."""
    return int(value) if value and value.isdecimal() and len(value) < _MOST_DIGITS else usual


def _levels(abstract: Any) -> dict[int, _Level]:
    found = {}
    for each in abstract.iterchildren(f"{_WORD}lvl"):
        form, words = _value(each, "numFmt") or "decimal", _value(each, "lvlText") or ""
        start, style = _whole(_value(each, "start"), 1), _value(each, "pStyle")
        if (depth := _whole(each.get(f"{_WORD}ilvl"), 0)) < _LEVELS:
            found[depth] = _Level(start, form, words, style)
    return found


def _overrides(num: Any) -> dict[int, int]:
    """At which number which of its levels begins anew."""
    found = {}
    for each in num.iterchildren(f"{_WORD}lvlOverride"):
        start = _value(each, "startOverride")
        if start is not None:
            found[_whole(each.get(f"{_WORD}ilvl"), 0)] = _whole(start, 1)
    return found


def _numeral(number: int, form: str) -> str:
    if form in _CHINESE:
        return _chinese(number)
    if form in {"lowerLetter", "upperLetter"} and number > 0:
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if form == "lowerLetter" else letters.upper()
    if form in {"lowerRoman", "upperRoman"}:
        roman = _roman(number)
        return roman.lower() if form == "lowerRoman" else roman
    if form.startswith("decimalEnclosedCircle") and 1 <= number <= 20:
        return chr(_CIRCLED + number)
    if form == "ideographTraditional" and 1 <= number <= len(_STEMS):
        return _STEMS[number - 1]
    return f"{number:02}" if form == "decimalZero" else str(number)


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        return str(number)
    before = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return before + (_DIGITS[ones] if ones else "")


def _roman(number: int) -> str:
    if not 0 < number < 400:
        return str(number)
    written = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        written += letters * count
    return written
