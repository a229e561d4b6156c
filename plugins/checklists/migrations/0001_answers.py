"""Create the table of answers to checklists."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "checklists__answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_uri", sa.String(length=2000), nullable=False),
        sa.Column("checklist", sa.String(length=100), nullable=False),
        sa.Column("question", sa.String(length=20), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklists__answer")),
        sa.UniqueConstraint(
            "project_uri",
            "checklist",
            "question",
            name=op.f("uq_checklists__answer_project_uri_checklist_question"),
        ),
    )
