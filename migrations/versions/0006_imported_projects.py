"""Where projects of ours were imported from."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "imported_project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_imported_project_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_project")),
        sa.UniqueConstraint("source", name=op.f("uq_imported_project_source")),
    )
    with op.batch_alter_table("imported_project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_imported_project_project_id"), ["project_id"])
