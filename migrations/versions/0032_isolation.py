"""Items that jobs could not work on are put off, and what runs once an hour does so once."""

import sqlalchemy as sa
from alembic import op

from node.database.tables import UtcDateTime

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "job_failure",
        sa.Column("job", sa.String(40), nullable=False),
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job", "item", name=op.f("pk_job_failure")),
    )
    op.create_index(op.f("ix_job_failure_last_at"), "job_failure", ["last_at"])
    op.create_table(
        "hourly_job",
        sa.Column("job", sa.String(40), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_hourly_job")),
    )
