"""One kind of long write for each room that withdraws objects about a project."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

KINDS = ("announcements", "updates", "comments", "documents")


def upgrade() -> None:
    for kind in KINDS:
        _rename("withdraw-parts", f"{kind} ", f"withdraw-{kind}", "")


def downgrade() -> None:
    for kind in KINDS:
        _rename(f"withdraw-{kind}", "", "withdraw-parts", f"{kind} ")


def _rename(kind: str, prefix: str, new_kind: str, new_prefix: str) -> None:
    """Rename a kind, and replace the prefix of its subjects, whose rest is the project's id."""
    table = sa.table("long_write", sa.column("kind"), sa.column("subject", sa.String))
    rest = sa.func.substr(table.c.subject, len(prefix) + 1)
    op.execute(
        table.update()
        .where(table.c.kind == kind, table.c.subject.startswith(prefix))
        .values(kind=new_kind, subject=sa.literal(new_prefix) + rest)
    )
