"""Whom a shared link opens for, a group's switch of sharing in a column, and how many links are made on a day

The version before goes on: it makes links for people who are signed in, and leaves the group's column as it is. It
still reads its own word in `access`, which stays there until the group's access is set anew.

Revision: 0067, after 0066
"""

import json

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

_shares = sa.table("shares", sa.column("content"), sa.column("content_bytes"))
_groups = sa.table("groups", sa.column("id"), sa.column("access"), sa.column("sharing", sa.Boolean()))


def upgrade() -> None:
    op.add_column("groups", sa.Column("sharing", sa.Boolean(), nullable=False, server_default=sa.true()))
    for group_id, access in op.get_bind().execute(sa.select(_groups.c.id, _groups.c.access)).all():
        if json.loads(access).get("sharing") is False:
            op.execute(_groups.update().where(_groups.c.id == group_id).values(sharing=False))
    op.add_column("shares", sa.Column("audience", sa.String(length=16), nullable=False, server_default="people"))
    op.add_column("shares", sa.Column("content_bytes", sa.Integer(), nullable=False, server_default="0"))
    is_sqlite = op.get_bind().dialect.name == "sqlite"  # whose length of a text is in characters
    content = sa.cast(_shares.c.content, sa.LargeBinary()) if is_sqlite else _shares.c.content
    op.execute(_shares.update().values(content_bytes=sa.func.length(content)))
    op.create_table(
        "shared_daily",
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_shared_daily_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_shared_daily")),
    )


def downgrade() -> None:
    op.drop_table("shared_daily")
    op.drop_column("shares", "content_bytes")
    op.drop_column("shares", "audience")
    for group_id, access, sharing in op.get_bind().execute(sa.select(_groups)).all():
        stored = {name: value for name, value in json.loads(access).items() if name != "sharing"}
        words = json.dumps(stored if sharing else stored | {"sharing": False})
        op.execute(_groups.update().where(_groups.c.id == group_id).values(access=words))
    op.drop_column("groups", "sharing")
