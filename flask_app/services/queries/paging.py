"""Long lists, a page at a time: how many rows of it, and from where on."""

from flask_app.errors import BadRequest

PAGE, MAX_PAGE = 50, 100
ID_LENGTH = 26


def checked_limit(limit: int, most: int | None = None) -> int:
    """How many rows are asked for; raises BadRequest("bad_limit") for none and for more than `most` (MAX_PAGE)."""
    most = most or MAX_PAGE
    if not 0 < limit <= most:
        raise BadRequest("bad_limit", limit=most)
    return limit


def checked_id(cursor: str) -> str:
    """The id of the last row that was had; raises BadRequest("bad_cursor") for what can be none."""
    if len(cursor) != ID_LENGTH or not cursor.isalnum():
        raise BadRequest("bad_cursor")
    return cursor
