"""What projects say of one another can be asked from the other side."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "project_relation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_project_relation_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_relation")),
        sa.UniqueConstraint(
            "project_id", "uri", "kind", name=op.f("uq_project_relation_project_id_uri_kind")
        ),
    )
    op.create_index(op.f("ix_project_relation_uri"), "project_relation", ["uri"])
