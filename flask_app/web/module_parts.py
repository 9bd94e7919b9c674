"""A module in one reply, as a style sheet: its parts are put where it imports them, so that a page asks for one file.

A part is named by its place, `./composer/hours.js`, and is of one module alone: a browser that gets the files as they
are follows such a name by itself. Their imports are brought together before them, for each name to be asked for once.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ (?P<names>[^}]+) \} from "(?P<source>[^"]+)"\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async |class |const |function |let ))", re.MULTILINE)


def with_parts(module: Path) -> bytes:
    """The module with its `import { … } from "./part.js"` replaced by that file's code; one without parts as it is."""
    text = module.read_text(encoding="utf-8")
    if not any(found["source"].startswith("./") for found in _IMPORT.finditer(text)):
        return text.encode()
    asked: dict[str, dict[str, None]] = {}

    def code(found: re.Match[str]) -> str:
        if not found["source"].startswith("./"):
            asked.setdefault(found["source"], {}).update(dict.fromkeys(found["names"].split(", ")))
            return ""
        part = (module.parent / found["source"]).read_text(encoding="utf-8")
        return _EXPORT.sub("", _IMPORT.sub(code, part))

    body = _IMPORT.sub(code, text)
    imports = (f'import {{ {", ".join(names)} }} from "{source}"\n' for source, names in asked.items())
    return ("".join(imports) + body).encode()
