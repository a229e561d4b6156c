"""What is typed and not saved is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "unsaved",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_unsaved_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsaved")),
        sa.UniqueConstraint("token", name=op.f("uq_unsaved_token")),
        sa.UniqueConstraint("user_id", "path", name=op.f("uq_unsaved_user_id_path")),
    )
    with op.batch_alter_table("unsaved", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unsaved_at"), ["at"])
