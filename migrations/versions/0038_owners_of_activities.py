"""Who gets the answers to an activity of ours, and the id of what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("outbox_activity", sa.Column("owner", sa.String(length=100), nullable=True))
    op.add_column("outbox_activity", sa.Column("result_uri", sa.String(length=2000), nullable=True))
    op.create_index(op.f("ix_outbox_activity_result_uri"), "outbox_activity", ["result_uri"])
