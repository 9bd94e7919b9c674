r"""Formulas in Markdown, as `js/markdown/formulas.js` finds them: $…$ and \(…\) in a line, $$…$$ and \[…\] alone.

Nothing in one is taken for Markdown: it stands in the page as it was written, with what it begins and ends with.
"""

import re
from typing import cast

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

LONGEST = 10_000  # characters within a line's
_INLINE = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_BLOCK = _INLINE[:2]
_ENDS = {close: re.compile(rf"{re.escape(close)}|\\.", re.DOTALL) for _, close in _INLINE}
_VAINLY = "formulas sought in vain"

Span = tuple[int, int]


def formulas(parser: MarkdownIt) -> None:
    """Have it make tokens of them, "formula" and "formula_block"."""
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.block.ruler.before("fence", "formula", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def _inline(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - as a rule is called
    form = next((each for each in _INLINE if state.src.startswith(each[0], state.pos)), None)
    if form is None:
        return False
    begin, close = form
    end = _closing(state, state.pos + len(begin), close)
    if end < 0:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end + len(close)]
    state.pos = end + len(close)
    return True


def _closing(state: StateInline, start: int, close: str) -> int:
    """Where one ends, or -1. A single $ is money unless it hugs its formula: no blank inside, no digit after."""
    text, single = state.src, close == "$"
    if single and (start >= state.posMax or text[start].isspace() or text[start] == "$"):
        return -1
    sought = _sought(state)
    since, until = sought.get(close, (0, 0))
    at, most = (until if since <= start < until else start), min(state.posMax, start + LONGEST + len(close) - 1)
    while found := _ENDS[close].search(text, at, most):
        at = found.start()
        if found[0] != close:
            at = found.end()
        elif at > start and not (single and _is_money(text, at)):
            return at
        elif single:
            return -1
        else:
            at += 2 if close.startswith("\\") else 1
    sought[close] = (start, max(at, min(state.posMax, start + LONGEST)))
    return -1


def _is_money(text: str, at: int) -> bool:
    return text[at - 1].isspace() or text[at + 1 : at + 2] in set("0123456789")


def _block(state: StateBlock, start: int, last: int, silent: bool) -> bool:  # noqa: FBT001 - as a rule is called
    if state.sCount[start] - state.blkIndent >= 4:
        return False
    first = _line(state, start)
    close = next((end for begin, end in _BLOCK if first.startswith(begin)), None)
    if close is None:
        return False
    lines = _lines(state, start, last, close)
    if lines is None or (close == "$$" and close in "".join(lines)):
        return False
    if not silent:
        _emit(state, start, start + len(lines), first[:2] + "\n".join(lines) + close)
    return True


def _lines(state: StateBlock, start: int, last: int, close: str) -> list[str] | None:
    """What stands between its beginning and its end, which is at the end of a line; None where that is not there."""
    sought, place = _sought(state), f"{close} {last} {state.blkIndent}"
    since, until = sought.get(place, (0, 0))
    if since <= start < until:
        return None
    lines, line, rest = [], start, _line(state, start)[2:]
    while not rest.rstrip().endswith(close):
        line += 1
        if close in rest:
            return None
        if line >= last or state.sCount[line] < state.blkIndent:
            sought[place] = (start, line)
            return None
        lines.append(rest)
        rest = _line(state, line)
    return [*lines, rest.rstrip()[:-2]]


def _emit(state: StateBlock, start: int, end: int, content: str) -> None:
    token = state.push("formula_block", "", 0)
    token.block, token.content, token.map = True, content, [start, end]
    state.line = end


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _sought(state: StateInline | StateBlock) -> dict[str, Span]:
    """Where an end was looked for in vain: a text full of beginnings is not read anew from each of them."""
    of_all = cast("dict[int, tuple[object, dict[str, Span]]]", state.env.setdefault(_VAINLY, {}))
    return of_all.setdefault(id(state), (state, {}))[1]  # which it also keeps: no other has its id meanwhile
