"""The index of projects and of their outputs, and searches that are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

TEXTS = ("fulltext_project", "fulltext_output")


def upgrade() -> None:
    op.create_table(
        "project_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_mark")),
    )
    _entries()
    op.create_table(
        "saved_search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("asked", sa.String(length=2000), nullable=False),
        sa.Column("alerts", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_search_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("token", name=op.f("uq_saved_search_token")),
    )
    op.create_index(op.f("ix_saved_search_user_id"), "saved_search", ["user_id"])
    op.create_index(
        op.f("ix_saved_search_alerts_checked_at"), "saved_search", ["alerts", "checked_at"]
    )
    op.create_table(
        "local_service",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_service")),
    )
    for name in TEXTS:
        _text(name)
    # All that is there is read into the index as soon as the node starts.
    op.execute("INSERT INTO project_mark (project_id) SELECT id FROM project ORDER BY changed_at")


def _entries() -> None:
    op.create_table(
        "search_entry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_search_entry_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entry")),
        sa.UniqueConstraint("project_id", name=op.f("uq_search_entry_project_id")),
    )
    op.create_index(op.f("ix_search_entry_title_id"), "search_entry", ["title", "id"])
    op.create_index(op.f("ix_search_entry_ends_on_id"), "search_entry", ["ends_on", "id"])
    op.create_table(
        "search_output",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("adopters", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_search_output_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_output")),
    )
    op.create_index(op.f("ix_search_output_project_id"), "search_output", ["project_id"])
    op.create_index(op.f("ix_search_output_adopters_id"), "search_output", ["adopters", "id"])
    op.create_index(op.f("ix_search_output_title_id"), "search_output", ["title", "id"])


def _text(name: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE TABLE {name} (id BIGINT PRIMARY KEY, document TSVECTOR NOT NULL)")
        op.execute(f"CREATE INDEX ix_{name}_document ON {name} USING GIN (document)")
    else:
        options = """columnsize=0, prefix='3', tokenize="ascii tokenchars '_=~'\""""
        op.execute(f"CREATE VIRTUAL TABLE {name} USING fts5(document, {options})")
