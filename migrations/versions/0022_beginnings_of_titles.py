"""All projects are read into the index again, which now has the beginnings of words in titles."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("INSERT INTO project_mark (project_id) SELECT id FROM project ORDER BY changed_at")
