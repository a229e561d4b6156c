"""Keys can be changed, actors can be for peers alone, and conversations of others are read."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    with op.batch_alter_table("actor_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("actor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_for_peers", sa.Boolean(), nullable=True))
    op.execute("UPDATE actor SET is_for_peers = false")
    op.execute(
        "UPDATE actor SET is_for_peers = true WHERE id IN"
        " (SELECT actor_id FROM project WHERE visibility = 'peers' AND actor_id IS NOT NULL)"
    )
    with op.batch_alter_table("actor", schema=None) as batch_op:
        batch_op.alter_column("is_for_peers", existing_type=sa.Boolean(), nullable=False)
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("conversation_read_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.create_index(
            batch_op.f("ix_project_conversation_read_at_state_id"),
            ["conversation_read_at", "state", "id"],
        )
    # Of our own projects it is all here.
    op.execute(
        "UPDATE project SET conversation_read_at = changed_at WHERE council_id IN"
        " (SELECT council.id FROM council JOIN actor ON actor.id = council.actor_id"
        " WHERE actor.is_local)"
    )
