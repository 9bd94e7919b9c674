"""What reading a file comes to, or why it cannot be read."""

from dataclasses import dataclass

from flask_app.domain import files


class Unreadable(Exception):
    """`code` is the error's: file_kind_unknown, file_unreadable, file_protected, file_old_office, picture_heic,
    picture_too_long, file_without_words, file_too_long.
    """

    def __init__(self, code: str = "file_unreadable") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """`content` is what is kept instead of the file, where that is something else. Pages are also slides and sheets."""

    kind: str
    content_type: str
    text: str = ""
    content: bytes | None = None
    width: int | None = None
    height: int | None = None
    pages: int | None = None


class Words:
    """Text that is put together part by part; raises Unreadable("file_too_long") as soon as it is too much."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._bytes = 0

    def add(self, part: str) -> None:
        # A lone half of a character, or a NUL, is no text that a database takes.
        clean = part.encode("utf-8", "ignore").decode().replace("\x00", "")
        self._bytes += len(clean.encode()) + 1
        if self._bytes > files.MOST_TEXT_BYTES:
            raise Unreadable("file_too_long")
        self._parts.append(clean)

    def whole(self, *, between: str = "\n") -> str:
        return between.join(self._parts)

    def say_something(self) -> bool:
        """What stands for something else is no word."""
        return any(files.LEFT.sub("", part).strip() for part in self._parts)


def document(content_type: str, words: Words, text: str, pages: int | None = None) -> Contents:
    """Raises Unreadable("file_without_words")."""
    if not words.say_something():
        raise Unreadable("file_without_words")
    return Contents(kind=files.DOCUMENT, content_type=content_type, text=text, pages=pages)
