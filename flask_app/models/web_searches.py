"""What was looked up on the web for a question, and what was found."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class WebSearch(Base):
    """A question is searched for once. `status`: running, found, empty, failed (see `error_code`) or stopped.
    Without a `query` its links alone were opened.

    `engine` is "deepseek" or "searxng". One that failed, found nothing or was stopped may run again, in its place.
    """

    __tablename__ = "web_searches"

    id: Mapped[str] = key()
    message_id: Mapped[str] = to("messages.id", unique=True)
    engine: Mapped[str] = mapped_column(String(16))
    query: Mapped[str] = mapped_column(String(128))
    status: Mapped[str] = mapped_column(String(16))
    error_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class WebSource(Base):
    """A page that was found, counted from 1. `text` is what the model is told of it; none of it is ever fetched again.

    `published` is what the engine says of when, in its own words; nothing where it says nothing. One that the question
    has a link to was `fetched`: opened, failed (`fetch_error`) or stopped; nothing of all others.
    """

    __tablename__ = "web_sources"

    search_id: Mapped[str] = to("web_searches.id", primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(1000))
    site: Mapped[str] = mapped_column(String(100))
    published: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(LongText)
    fetched: Mapped[str] = mapped_column(String(16), default="", server_default="")
    fetch_error: Mapped[str | None] = mapped_column(String(64))
