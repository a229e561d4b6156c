"""How much was read of a council, and a page by which a circle of pages is found."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    with op.batch_alter_table("backfill", schema=None) as batch_op:
        batch_op.add_column(sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("landmark", sa.String(length=2000), nullable=True))
    with op.batch_alter_table("backfill", schema=None) as batch_op:
        batch_op.alter_column("size", server_default=None, existing_type=sa.BigInteger())
