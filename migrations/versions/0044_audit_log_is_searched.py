"""The audit log is searched by who, what and to whom

The version before goes on: it only adds rows.

Revision: 0044, after 0043
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_audit_log_actor_id_id", ["actor_id", "id"]),
    ("ix_audit_log_actor_id_action_id", ["actor_id", "action", "id"]),
    ("ix_audit_log_action_id", ["action", "id"]),
    ("ix_audit_log_target_id", ["target", "id"]),
)
BEFORE = "ix_audit_log_actor_id"


def upgrade() -> None:
    for name, columns in INDEXES:
        op.create_index(name, "audit_log", columns)
    op.drop_index(BEFORE, "audit_log")


def downgrade() -> None:
    op.create_index(BEFORE, "audit_log", ["actor_id"])
    for name, _ in INDEXES:
        op.drop_index(name, "audit_log")
