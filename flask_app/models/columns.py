"""The columns that nearly every table has."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii
from flask_app.database import new_id


def key() -> Mapped[str]:
    return mapped_column(Ascii, primary_key=True, default=new_id)


def to(column: str, *, ondelete: str = "CASCADE", index: bool = False, **options: Any) -> Any:
    return mapped_column(Ascii, ForeignKey(column, ondelete=ondelete), index=index, **options)
