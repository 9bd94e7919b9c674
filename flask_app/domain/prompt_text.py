"""What a prompt may be called, and the variables in its text: `{{topic}}`, or `{{topic: what stands there at first}}`.

The colon may be a full-width one, as Chinese keyboards write it.

`static/js/prompts/prompt-text.js` reads the same: `tests/prompts.json` holds both to it.
"""

import re
import unicodedata

from flask_app.domain.blank import FILLERS

MAX_COMMAND = 32
MAX_NAME = 64  # of a variable

_VARIABLE = re.compile(r"\{\{([^{}\r\n]*)\}\}")
_COLON = re.compile("[:\uff1a]")


def is_command(word: str) -> bool:
    """Letters, digits, `-` and `_` in any script, at least one of them a letter or a digit."""
    return 0 < len(word) <= MAX_COMMAND and _is_of_letters(word)


def is_key(folded: str) -> bool:
    """Is it still one when it is folded, with which some letters become several?"""
    return _is_of_letters(folded)


def variables(text: str) -> dict[str, str]:
    """The names in the order they come in, each once, with what stands there at first: what is said first counts."""
    found: dict[str, str] = {}
    for inside in _VARIABLE.findall(text):
        name, default, *_ = (*(part.strip() for part in _COLON.split(inside, maxsplit=1)), "")
        if 0 < len(name) <= MAX_NAME:
            found[name] = found.get(name) or default
    return found


def _is_of_letters(word: str) -> bool:
    kinds = {unicodedata.category(each)[0] for each in word if each not in "-_"}
    return bool(kinds & set("LN")) and kinds <= set("LMN") and not FILLERS & set(word)
