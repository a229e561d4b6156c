"""Authors of assessments and answers are kept by user id: their email addresses may change."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

USER = sa.table("users", sa.column("id", sa.Integer()), sa.column("email", sa.String()))
AUTHORS = {
    "checklists__run": "began_by",
    "checklists__answer": "by",
    "checklists__past": "by",
}


def upgrade() -> None:
    for name, author in AUTHORS.items():
        author_id = f"{author}_id"
        op.add_column(name, sa.Column(author_id, sa.Integer(), nullable=True))
        table = sa.table(name, sa.column(author, sa.String()), sa.column(author_id, sa.Integer()))
        user_id = sa.select(USER.c.id).where(USER.c.email == table.c[author]).scalar_subquery()
        op.execute(sa.update(table).values({author_id: user_id}))
    op.create_index(op.f("ix_checklists__run_began_by_id"), "checklists__run", ["began_by_id"])
