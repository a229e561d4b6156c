"""What councils say they use of projects, beside the projects."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "adoption",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("output", sa.String(length=20), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_adoption_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["actor.id"], name=op.f("fk_adoption_author_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoption")),
        sa.UniqueConstraint("uri", name=op.f("uq_adoption_uri")),
        sa.UniqueConstraint(
            "project_id",
            "output",
            "author_id",
            name=op.f("uq_adoption_project_id_output_author_id"),
        ),
    )
    with op.batch_alter_table("adoption", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_adoption_author_id_changed_at"), ["author_id", "changed_at"]
        )
        batch_op.create_index(batch_op.f("ix_adoption_state_changed_at"), ["state", "changed_at"])
