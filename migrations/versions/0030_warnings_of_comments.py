"""The language of a comment, and the warning behind which its author hides it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

COLUMNS = {"language": sa.String(length=35), "warning": sa.String(length=300)}


def upgrade() -> None:
    with op.batch_alter_table("comment", schema=None) as batch_op:
        for name, kind in COLUMNS.items():
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=""))
    with op.batch_alter_table("comment", schema=None) as batch_op:
        for name, kind in COLUMNS.items():
            batch_op.alter_column(name, server_default=None, existing_type=kind)
