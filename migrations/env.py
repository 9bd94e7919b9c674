"""Alembic's entry: bring the database that the application is configured for to the newest schema."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Engine, create_engine, event, make_url, pool

from flask_app import models  # noqa: F401  (fills Base.metadata)
from flask_app.column_types import Ascii, Exact, Folded, LongText, UtcDateTime
from flask_app.config import Config
from flask_app.database import Base
from flask_app.engines import keep_private
from scripts import settings_file

OWN_TYPES = {"Ascii": Ascii, "Exact": Exact, "Folded": Folded, "LongText": LongText}


def by_name(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write our own column types by their names."""
    if kind == "type":
        if isinstance(item, UtcDateTime):
            return "UtcDateTime()"
        return next((name for name, own in OWN_TYPES.items() if item is own), False)
    return False


def configured_url() -> str:
    settings_file.load()
    return Config.from_environment().database_url


def engine_of(url: str) -> Engine:
    """READ COMMITTED, as the application has it: else a server locks all rows that a migration copies, which the
    version before still writes."""
    is_server = make_url(url).get_backend_name() != "sqlite"
    terms: dict[str, Any] = {"isolation_level": "READ COMMITTED"} if is_server else {}
    engine = create_engine(url, poolclass=pool.NullPool, **terms)
    if not is_server:
        event.listen(engine, "connect", lambda connection, _: keep_private(connection))
    return engine


def run() -> None:
    url = context.config.attributes.get("url") or configured_url()
    engine = engine_of(url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            render_item=by_name,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
