"""Formulas of office files (OMML) as a line of text that people and models read: x^2 + 1/2, √(a+b), ∑_(i=1)^n a_i."""

import re
from collections.abc import Callable, Iterator
from typing import Any

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
WHOLE = {f"{_MATH}oMath", f"{_MATH}oMathPara"}
# A number, a letter, a word of another script, or what stands in brackets already.
_SINGLE = re.compile(r"\d+(?:\.\d+)?|\w|[^\W\d_a-zA-Z]+|√\w|\([^()]*\)|\[[^][]*\]|\|[^|]*\|")
_ACCENT, _BAR, _INTEGRAL = "\u0302", "\u0305", "∫"
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}


def said(element: Any) -> str:
    """What a formula, or a part of one, says."""
    name = element.tag.removeprefix(_MATH)
    if name in _FORMS:
        return _FORMS[name](element)
    if name == "t":
        return element.text or ""
    if name.endswith("Pr"):  # how it looks
        return ""
    return "".join(said(each) for each in element.iterchildren("*"))


def raised(text: str) -> str:
    return f"^{grouped(text)}"


def lowered(text: str) -> str:
    return f"_{grouped(text)}"


def grouped(text: str) -> str:
    """In brackets, where it would not be one thing without them."""
    return text if _SINGLE.fullmatch(text) else f"({text})"


def _part(element: Any, name: str) -> str:
    return "".join(said(each) for each in element.iterchildren(f"{_MATH}{name}")).strip()


def _parts(element: Any, name: str = "e") -> Iterator[str]:
    return (said(each).strip() for each in element.iterchildren(f"{_MATH}{name}"))


def _set(element: Any, name: str, usual: str) -> str:
    """What is set of how it looks; an empty value is one."""
    found = next(element.iterfind(f"./*/{_MATH}{name}"), None)
    value = None if found is None else found.get(f"{_MATH}val")
    return usual if found is None else value or ""


def _fraction(element: Any) -> str:
    over, under = _part(element, "num"), _part(element, "den")
    if _set(element, "type", "bar") == "noBar":  # one above the other, as in a binomial
        return f"{over}; {under}"
    return f"{grouped(over)}/{grouped(under)}"


def _scripts(element: Any) -> str:
    lower, upper = _part(element, "sub"), _part(element, "sup")
    base = _part(element, "e")
    return (grouped(base) if base else "") + (lowered(lower) if lower else "") + (raised(upper) if upper else "")


def _scripts_before(element: Any) -> str:
    return lowered(_part(element, "sub")) + raised(_part(element, "sup")) + _part(element, "e")


def _root(element: Any) -> str:
    degree, within = _part(element, "deg"), _part(element, "e")
    if degree in _ROOTS:
        return f"{_ROOTS[degree]}{grouped(within)}"
    return f"{grouped(within)}^(1/{grouped(degree)})"


def _delimited(element: Any) -> str:
    begin, end = _set(element, "begChr", "("), _set(element, "endChr", ")")
    return begin + _set(element, "sepChr", "|").join(_parts(element)) + end


def _sum(element: Any) -> str:
    lower, upper = _part(element, "sub"), _part(element, "sup")
    limits = (lowered(lower) if lower else "") + (raised(upper) if upper else "")
    return f"{_set(element, 'chr', _INTEGRAL)}{limits} {_part(element, 'e')}"


def _function(element: Any) -> str:
    name, of = _part(element, "fName"), _part(element, "e")
    return f"{name}{of}" if of.startswith("(") else f"{name} {of}"


def _lower_limit(element: Any) -> str:
    return _part(element, "e") + lowered(_part(element, "lim"))


def _upper_limit(element: Any) -> str:
    return _part(element, "e") + raised(_part(element, "lim"))


def _accented(element: Any) -> str:
    return grouped(_part(element, "e")) + _set(element, "chr", _ACCENT)


def _barred(element: Any) -> str:
    return grouped(_part(element, "e")) + _BAR


def _matrix(element: Any) -> str:
    return "; ".join(", ".join(_parts(row)) for row in element.iterchildren(f"{_MATH}mr"))


def _lines(element: Any) -> str:
    return "; ".join(_parts(element))


_FORMS: dict[str, Callable[[Any], str]] = {
    "f": _fraction,
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "sPre": _scripts_before,
    "rad": _root,
    "d": _delimited,
    "nary": _sum,
    "func": _function,
    "limLow": _lower_limit,
    "limUpp": _upper_limit,
    "acc": _accented,
    "bar": _barred,
    "m": _matrix,
    "eqArr": _lines,
}
