"""What the node keeps about plugins, and the documents that they publish."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "plugin_switch",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_plugin_switch")),
    )
    op.create_table(
        "plugin_value",
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "name", name=op.f("pk_plugin_value")),
    )
    op.create_table(
        "plugin_job",
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "name", name=op.f("pk_plugin_job")),
    )
    op.create_table(
        "plugin_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("hook", sa.String(length=60), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_failure")),
        sa.UniqueConstraint(
            "plugin", "hook", "error", name=op.f("uq_plugin_failure_plugin_hook_error")
        ),
    )
    op.create_index(op.f("ix_plugin_failure_last_at"), "plugin_failure", ["last_at"])
    _documents()


def _documents() -> None:
    op.create_table(
        "plugin_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("council_id", sa.Integer(), nullable=False),
        sa.Column("project_uri", sa.String(length=2000), nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.String(length=40), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["council_id"],
            ["council.id"],
            name=op.f("fk_plugin_document_council_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_document")),
        sa.UniqueConstraint("token", name=op.f("uq_plugin_document_token")),
        sa.UniqueConstraint("uri", name=op.f("uq_plugin_document_uri")),
    )
    for columns in (
        ["type", "state", "changed_at"],
        ["council_id", "state", "id"],
        ["project_uri"],
    ):
        name = f"ix_plugin_document_{'_'.join(columns)}"
        op.create_index(op.f(name), "plugin_document", columns)
