"""Projects are found and sorted by when their contract ends: all are read into the index again."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    with op.batch_alter_table("search_entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contract_ends_on", sa.Date(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_search_entry_contract_ends_on_id"), ["contract_ends_on", "id"]
        )
    op.execute("INSERT INTO project_mark (project_id) SELECT id FROM project ORDER BY changed_at")
