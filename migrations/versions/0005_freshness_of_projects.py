"""Projects are looked at again and again; who was reminded of it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("freshness", sa.String(length=20), nullable=True))
        for name in ("review_on", "confirmed_on", "archived_on"):
            batch_op.add_column(sa.Column(name, sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f("ix_project_freshness"), ["freshness"])
    op.execute("UPDATE project SET freshness = 'unsaid'")
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.alter_column("freshness", existing_type=sa.String(length=20), nullable=False)
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_reminder_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint(
            "project_id", "review_on", "step", name=op.f("uq_reminder_project_id_review_on_step")
        ),
    )
