"""Places in a document that a command fills: between ``<!-- COMMAND: begin -->`` and ``<!-- COMMAND: end -->``."""

from pathlib import Path


def fill(document: Path, command: str, text: str) -> None:
    """Put `text` where what `command` said before stands. Raises ValueError where the document has no such place."""
    begin, end = f"<!-- {command}: begin -->", f"<!-- {command}: end -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{document} has no place for what {command} says: {begin} … {end}")
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
