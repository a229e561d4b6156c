"""Who watched a project that was imported, and took part in it."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    with op.batch_alter_table("imported_project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("people", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("imported_project", schema=None) as batch_op:
        batch_op.alter_column("people", server_default=None, existing_type=sa.JSON())
