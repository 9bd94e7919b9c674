"""Calls of tools, as they are read where no script draws them: in files."""

import re
from collections.abc import Callable, Iterable

from flask_app.domain.tools import OPEN, OWN_TITLES, Call

Translate = Callable[..., str]

_OWN = {title: tool for tool, title in OWN_TITLES.items()}

# What Markdown would read as a sign, or as the beginning of a link.
_SIGNS = re.compile(r"[\\\[\]<>*_`~$@]|&(?=#?\w+;)|:(?=//)|(?<=www)\.", re.IGNORECASE)
_TICKS = re.compile(r"`+")


def words(t: Translate, call: Call) -> str:
    """Which tool of whom, and how it went, in a line."""
    status = "stopped" if call.status in OPEN else call.status
    whose = f"{call.title} · {call.server}" if call.server else _own(t, call)
    seconds = "" if call.duration_ms is None else f" · {call.duration_ms / 1000:.1f} s"
    return f"{whose} · {t(f'portability.call_{status}')}{seconds}"


def _own(t: Translate, call: Call) -> str:
    """Of those that are built in, in the reader's language."""
    return t(f"js.call_tool_{call.tool}") if call.tool in OWN_TITLES else call.title


def names(t: Translate, titles: Iterable[str]) -> str:
    """Of what was used, where only that is known: a server's own have its name beside theirs."""
    return ", ".join(t(f"js.call_tool_{_OWN[title]}") if title in _OWN else title for title in titles)


def markdown(t: Translate, calls: Iterable[Call]) -> str:
    """The same with what was asked and what came of it; nothing in these ends the block that they stand in."""
    return "\n\n".join(_one(t, call) for call in calls)


def _one(t: Translate, call: Call) -> str:
    said = _SIGNS.sub(r"\\\g<0>", " ".join(words(t, call).split()))
    parts = [f"🔧 {said}"]
    parts += [_fenced(part) for part in (call.arguments, call.result) if part.strip()]
    return "\n\n".join(parts)


def _fenced(text: str) -> str:
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
