"""${message}

Revision ${up_revision}${f', after {down_revision}' if down_revision else ''}.
"""

import sqlalchemy as sa
from alembic import op

from flask_app.database import Ascii, Folded, LongText, UtcDateTime
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
