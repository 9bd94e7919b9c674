"""The commands of the guide to deployment, and which of them have been typed: none is left out unnoticed."""

import re
from pathlib import Path

GUIDE = (Path(__file__).resolve().parents[2] / "docs/部署指南.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```\n(.*?)^```\n", re.M | re.S)
PROGRAMS = "sudo|docker|scripts/|git|flask|openssl|sed|ufw|make|nginx|curl"
FILES = re.compile(r"^(\{|[a-z]+:\n|[A-Z_]+=)")  # as they begin: JSON, YAML, .env

typed: set[str] = set()


def block(containing: str) -> list[str]:
    """The commands of the only block with these words; what is longer than a line is one."""
    (found,) = [each for each in FENCED.findall(GUIDE) if containing in each]
    return _commands(found)


def file(containing: str) -> str:
    """What the only block with these words puts into a file; it is taken for written."""
    (found,) = [each for each in FENCED.findall(GUIDE) if containing in each]
    typed.add(found)
    return str(found)


def in_a_sentence(beginning: str) -> str:
    """The command that the guide names between backticks."""
    (found,) = {each for each in _between_backticks() if each.startswith(beginning)}
    return found


def everything() -> set[str]:
    """Each command, and each text of a file."""
    assert GUIDE.count("```") == 2 * len(FENCED.findall(GUIDE)), "a block that is not looked at"
    found = set()
    for each in FENCED.findall(GUIDE):
        found |= {each} if FILES.match(each) else {*_commands(each), *_in_comments(each)}
    return found | {each for each in _between_backticks() if re.match(rf"({PROGRAMS})\S* \S|scripts/\w", each)}


def _commands(text: str) -> list[str]:
    text = re.sub(r"(\||\\)\n *", r"\1 ", text)
    return [re.sub(r"\s+# .*", "", line) for line in text.strip().splitlines()]


def _in_comments(text: str) -> list[str]:
    return [each.strip() for each in re.findall(r"\s# .*：((?:docker|scripts/).*)$", text, re.M)]


def _between_backticks() -> list[str]:
    return [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", FENCED.sub("", GUIDE))]
