"""Writes that touch many rows and have not ended, and webhooks whose messages are being deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.create_table(
        "long_write",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_long_write")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_long_write_kind_subject")),
    )
    op.add_column("webhook", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
