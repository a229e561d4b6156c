"""Servers that were allowed a moment ago, whose followers hear that there may be more for them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    with op.batch_alter_table("peer", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_to_greet", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("peer", schema=None) as batch_op:
        batch_op.alter_column("is_to_greet", server_default=None, existing_type=sa.Boolean())
