"""Style sheets in one reply: a sheet's imports are put where they stand, so that a page asks for one file."""

import re
from pathlib import Path

_IMPORT = re.compile(r'^@import "(?P<path>[^"]+)" layer\((?P<layer>[a-z-]+)\);$', re.MULTILINE)


def joined(sheet: Path) -> bytes:
    """The sheet with every `@import "path" layer(name);` replaced by that file's rules in that layer."""

    def rules(found: re.Match[str]) -> str:
        text = joined(sheet.parent / found["path"]).decode()
        return f"@layer {found['layer']} {{\n{text}}}"

    return _IMPORT.sub(rules, sheet.read_text(encoding="utf-8")).encode()
