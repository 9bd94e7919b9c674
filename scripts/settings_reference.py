"""The settings of .env.example as reference pages, in English and in Chinese."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / ".env.example"
CHINESE = ROOT / "scripts" / "settings.zh.json"
PAGES = {"configuration.md": "en", "配置参考.md": "zh"}

_LINE = re.compile(r"(?:# )?([A-Z][A-Z0-9_]*)=(.*)")
_HEADS = {
    "en": (
        "# Configuration\n\n"
        "Every setting, from [.env.example](../.env.example); `make docs` writes this page. All have a default. They\n"
        "go into `.env` beside the code or into the environment, which wins; a value with a `$` in it goes between\n"
        "single quotes. A secret may be given as the path of a file instead, under its name with `_FILE` behind it,\n"
        "but not under Docker Compose, whose containers do not see the file. [配置参考](配置参考.md) is the same in\n"
        "Chinese.\n\n"
        "| setting | default | meaning |\n|---|---|---|\n"
    ),
    "zh": (
        "# 配置参考\n\n"
        "全部设置，来自 [.env.example](../.env.example)，由 `make docs` 生成。每一项都有默认值。\n"
        "写在代码旁边的 `.env` 中，或写在环境变量里（以环境变量为准）；\n"
        "值中含有 `$` 时，请放在单引号中。\n"
        "密钥和密码也可以放在文件中，在名称后面加上 `_FILE`，填写文件路径；\n"
        "Docker Compose 中不行，容器看不到那个文件。\n"
        "[English](configuration.md) 内容相同。\n\n"
        "| 设置 | 默认值 | 含义 |\n|---|---|---|\n"
    ),
}
_ABSENT = {"en": "absent", "zh": "无"}


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that one comment explains: their names with what they are where nobody sets them."""

    words: str
    settings: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        return self.settings[0][0]


def groups() -> Iterator[Group]:
    """Those of .env.example, in its order. A setting after a comment of its own begins a group."""
    words: list[str] = []
    settings: list[tuple[str, str]] = []
    for line in [*EXAMPLE.read_text("utf-8").splitlines(), ""]:
        found = _LINE.fullmatch(line)
        if found:
            settings.append((found[1], found[2].strip('"')))
            continue
        if settings:
            yield Group(" ".join(words), tuple(settings))
            words, settings = [], []
        if line.startswith("#"):
            words.append(line.removeprefix("#").strip())
        elif not line:
            words = []


def names() -> set[str]:
    """All of them; none where the file is not beside the code."""
    return {name for group in groups() for name, _ in group.settings} if EXAMPLE.exists() else set()


def pages() -> dict[str, str]:
    """The text of each page. Raises KeyError for a group without Chinese words, ValueError for words without one."""
    chinese: dict[str, str] = json.loads(CHINESE.read_text("utf-8"))
    known = list(groups())
    if strange := chinese.keys() - {group.key for group in known}:
        raise ValueError(f"{CHINESE.name}: no such settings: {sorted(strange)}")
    words = {"en": {group.key: group.words for group in known}, "zh": chinese}
    return {name: _HEADS[locale] + _rows(known, words[locale], locale) for name, locale in PAGES.items()}


def _rows(known: list[Group], words: dict[str, str], locale: str) -> str:
    lines = []
    for group in known:
        names, defaults = zip(*group.settings, strict=True)
        lines.append(
            f"| {'<br>'.join(f'`{name}`' for name in names)} | {_listed(defaults, locale)} | {words[group.key]} |\n"
        )
    return "".join(lines)


def _listed(values: Sequence[str], locale: str) -> str:
    if not any(values):
        return _ABSENT[locale]
    return "<br>".join(value or _ABSENT[locale] for value in values)
