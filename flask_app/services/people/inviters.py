"""Whether whoever made an invitation may still invite into its group: what was given out ends with the rights.

Whoever has the right again, enabled or named a manager anew, lets people in by it again, until it runs out.
"""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from flask_app.database import table_of
from flask_app.models import GroupManager, Invitation, User

_invitations, _managers = table_of(Invitation), table_of(GroupManager)
_makers = table_of(User).alias("makers")  # a query may have people of its own
_active = (_makers.c.id == _invitations.c.user_id, ~_makers.c.disabled, _makers.c.deleted_at.is_(None))
_manages = (_managers.c.user_id == _makers.c.id, _managers.c.group_id == _invitations.c.group_id)

# Of the invitation that a statement is about: nobody's, an administrator's, or one of a manager of its group.
UPHELD: ColumnElement[bool] = or_(
    _invitations.c.user_id.is_(None),
    exists().where(*_active, _makers.c.role == "admin"),
    exists().where(*_active, *_manages),
)


def uphold(session: Session, invitation_id: str) -> bool:
    """Is it still good, as far as its maker goes?"""
    return bool(session.scalar(select(UPHELD).where(_invitations.c.id == invitation_id)))
