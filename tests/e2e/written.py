"""Conversations that stand in a site's database without ever having been had."""

from datetime import timedelta
from typing import Any

from sqlalchemy import create_engine, delete, event, insert
from sqlalchemy.pool import NullPool

from flask_app.database import new_id, utc_now
from flask_app.models import Conversation
from tests.e2e.site import Site


def leave_only(site: Site, *titles: str, **values: Any) -> list[str]:
    """Conversations of the administrator's with these titles and no others, the first the newest; gives their ids."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def cascade(connection: Any, _: object) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    [person] = site.rows("SELECT id FROM users ORDER BY created_at LIMIT 1")
    now = utc_now()
    rows = [
        {"id": new_id(), "user_id": person["id"], "title": title, "created_at": now, "updated_at": moment} | values
        for title, moment in ((title, now - timedelta(minutes=at)) for at, title in enumerate(titles))
    ]
    with engine.begin() as connection:
        connection.execute(delete(Conversation))
        if rows:
            connection.execute(insert(Conversation), rows)
    engine.dispose()
    return [str(row["id"]) for row in rows]
