"""A program's turn: its person's row and its token's, locked at once until its answer has begun."""

from sqlalchemy import and_, bindparam, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.errors import TokenRequired
from flask_app.models import AccessToken, User
from flask_app.services.tokens.token_service import Visit
from flask_app.statements import Query, Question

_users, _tokens = table_of(User), table_of(AccessToken)
# A person's row is locked before their tokens', as all do who take both: what is joined from outside is read after what
# it is joined to. Who notes that a token was used, or keeps its words, takes nobody's row after it.
_HOLD = Query(
    select(_tokens.c.id)
    .select_from(_users.outerjoin(_tokens, and_(_tokens.c.id == bindparam("token"), _tokens.c.revoked_at.is_(None))))
    .where(_users.c.id == bindparam("person"))
    .with_for_update()
)


def take(connection: Connection, visited: Visit) -> None:
    """In the transaction that begins an answer: whoever revokes the token waits, or was first.

    The person's turn is taken with it (`budget_service.take_turn`). Raises TokenRequired where it has been revoked.
    """
    hold, whose = question(visited)
    if hold.value(connection, whose) is None:
        raise TokenRequired


def question(visited: Visit) -> Question:
    """What `take` asks, for `statements.look_ahead`."""
    return _HOLD, {"person": visited.user.id, "token": visited.token_id}
