"""Unsaved text belongs to the person who typed it; text of nobody is no longer kept."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.execute("DELETE FROM unsaved WHERE user_id IS NULL")
    with op.batch_alter_table("unsaved", schema=None) as batch_op:
        batch_op.drop_column("session")
        batch_op.alter_column("user_id", existing_type=sa.Integer(), nullable=False)
