"""Projects that give something back can be searched for."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("has_outputs", sa.Boolean(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_project_has_outputs_changed_at"), ["has_outputs", "changed_at"]
        )
    project = sa.table(
        "project",
        sa.column("id"),
        sa.column("details", sa.Text()),
        sa.column("has_outputs", sa.Boolean()),
    )
    connection = op.get_bind()
    connection.execute(project.update().values(has_outputs=False))
    written = sa.select(project.c.id, sa.cast(project.c.details, sa.Text))
    for number, details in connection.execute(written).all():
        if json.loads(details).get("outputs"):
            connection.execute(
                project.update().where(project.c.id == number).values(has_outputs=True)
            )
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.alter_column("has_outputs", existing_type=sa.Boolean(), nullable=False)
