"""Conversations in a person's list, and what the list says."""

from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert

from flask_app.database import new_id, transaction, utc_now
from flask_app.models import Conversation, User

LIST = "/api/conversations"
ARCHIVED = "/api/conversations/archived"
UNFILED = "/api/conversations/unfiled"


def fill(user: User, count: int, **values: Any) -> list[str]:
    """So many conversations, some of which share a moment; gives their ids, the newest first."""
    now = utc_now()
    moments = [now - timedelta(minutes=number // 3) for number in range(count)]
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "user_id": user.id, "title": f"第 {number} 次", "created_at": moment, "updated_at": moment}
        for number, moment in enumerate(moments)
    ]
    with transaction() as session:
        session.execute(insert(Conversation), [row | values for row in rows])
    return [row["id"] for row in sorted(rows, key=lambda row: (row["updated_at"], row["id"]), reverse=True)]


def page(client: FlaskClient, path: str = LIST, **query: Any) -> dict[str, Any]:
    reply = client.get(path, query_string=query)
    assert reply.status_code == 200, reply.data
    return dict(reply.json or {})


def ids(client: FlaskClient, path: str = LIST, *, of: str = "conversations", **query: Any) -> list[str]:
    return [each["id"] for each in page(client, path, **query)[of]]


def all_ids(client: FlaskClient, path: str = LIST, limit: int = 20) -> list[str]:
    """Page by page."""
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        found = page(client, path, limit=limit, **before)
        seen += [each["id"] for each in found["conversations"]]
        if not found["next"]:
            return seen
        before = {"before": found["next"]}
