"""What conversations are searched by: words, and the numbers of the messages and titles that have them.

All of it is derived from conversations and messages, by `services/search/search_index.py` alone. No backup has it.
"""

from sqlalchemy import Integer, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, Folded
from flask_app.database import Base
from flask_app.models.columns import to

Packed = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
Numbers = Text().with_variant(mysql.TEXT(charset="ascii", collation="ascii_bin"), "mysql", "mariadb")


class SearchDocument(Base):
    """A title (`shelf` 0) or a message (1) that can be found; a person's are numbered.

    `version`: which one is in the index, of a title its digest, of a message the run that wrote it last. `words` are
    those that its number stands at. Without its conversation it is not shown: it is to be looked at again, or where the
    message is gone too, the row stays until its words have lost the number.
    """

    __tablename__ = "search_documents"

    user_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    shelf: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    conversation_id: Mapped[str | None] = to("conversations.id", ondelete="SET NULL", index=True, nullable=True)
    message_id: Mapped[str | None] = to("messages.id", ondelete="SET NULL", index=True, nullable=True)
    version: Mapped[str] = mapped_column(Ascii)
    words: Mapped[bytes] = mapped_column(Packed)


class SearchPosting(Base):
    """Which documents of a person's block have a word: the last two digits, of 64, of each one's number."""

    __tablename__ = "search_postings"
    __table_args__ = {"sqlite_with_rowid": False}  # a row lies in its key's place: half the pages are written  # noqa: RUF012

    user_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    shelf: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    block: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(Folded, primary_key=True)
    numbers: Mapped[str] = mapped_column(Numbers)


class SearchProgress(Base):
    """One row: messages and runs up to the id `upto` have been seen, without the messages up to `since`, which are old.

    `turn` counts what was written.
    """

    __tablename__ = "search_progress"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    upto: Mapped[str] = mapped_column(Ascii)
    since: Mapped[str] = mapped_column(Ascii)
    turn: Mapped[int] = mapped_column(Integer)
