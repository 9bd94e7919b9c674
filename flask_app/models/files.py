"""Files that people attach to their messages."""

from datetime import datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText, Piece
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class KeptFile(Base):
    """A file as it was read: `kind` is "picture", "document" or "text".

    `digest` is that of what was sent, and of how it was read, so that the same comes only once from the same person;
    until all its pieces are there it is the row's own id. `bytes` is how long its content is, which of a picture is
    what was made of it, `stored_bytes` what it takes of the person's quota: its `text` with it. `tokens` is about what
    it adds to a prompt.
    `sent_at` is when it was last attached to a message, whatever rests on it later; null where it has not been since it
    came. `text` stands behind these: SQLite reads past what is long only to reach what follows it.

    `content_digest` is the SHA-256 of its content; null where the file came before that was noted. `absent` is why its
    content is not here, though a message names it: "expired", or "left_out" of what was imported. Its text is empty
    then, and its `digest` the row's own id.

    `object_key` is where its content lies in the store that FILES_URL names; null where it is in pieces. Nobody guesses
    one, and each is used once.
    """

    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("user_id", "digest"),
        Index(None, "sent_at", "created_at", "id"),
        Index(None, "absent", "created_at"),
    )

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id")
    digest: Mapped[str] = mapped_column(Ascii)
    kind: Mapped[str] = mapped_column(String(16))
    content_type: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(128))
    bytes: Mapped[int]
    stored_bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    pages: Mapped[int | None]
    tokens: Mapped[int]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    text: Mapped[str] = mapped_column(LongText, default="")
    content_digest: Mapped[str | None] = mapped_column(Ascii)
    absent: Mapped[str | None] = mapped_column(String(16))
    object_key: Mapped[str | None] = mapped_column(Ascii, unique=True, index=True)


class FilePiece(Base):
    """A piece of a file's content, counted from 0; `domain/files.py` says how long one is."""

    __tablename__ = "file_pieces"

    file_id: Mapped[str] = to("files.id", primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(Piece)


class RemovedObject(Base):
    """An object that no file has any more, or may never have: it goes from the store once it is due.

    Written in the transaction that makes it so, and deleted once the store has let go of it.
    """

    __tablename__ = "removed_objects"

    object_key: Mapped[str] = mapped_column(Ascii, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(index=True)


class MessageFile(Base):
    """A file that goes with a message, in which place, and as what it was called then.

    `told_as` is how its words are told, "pages" or "search"; null is whole. `told_parts` says which (`domain/telling`).
    `found_by` is by what passages were found, "meaning" beside words, or why by words alone ("budget", "late",
    "failed"); null where nobody makes vectors.
    """

    __tablename__ = "message_files"

    message_id: Mapped[str] = to("messages.id", primary_key=True)
    file_id: Mapped[str] = to("files.id", ondelete="RESTRICT", primary_key=True, index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(128))
    told_as: Mapped[str | None] = mapped_column(String(16))
    told_parts: Mapped[str | None] = mapped_column(LongText)
    found_by: Mapped[str | None] = mapped_column(String(16))


class PassageVectors(Base):
    """Vectors of so many `passages` of a document that follow each other, from its `first` on.

    It is a file, or what a shared assistant knows of one. `made_by` tells which can be compared (`services/embedding`),
    `domain/vectors` how they are written.
    """

    __tablename__ = "passage_vectors"

    id: Mapped[str] = key()
    file_id: Mapped[str | None] = to("files.id", index=True, nullable=True)
    shared_file_id: Mapped[str | None] = to("shared_assistant_files.id", index=True, nullable=True)
    made_by: Mapped[str] = mapped_column(Ascii)
    first: Mapped[int]
    passages: Mapped[int]
    vectors: Mapped[bytes] = mapped_column(Piece)
