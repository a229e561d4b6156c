"""Tables for other servers, comparison between nodes, conversations and moderation."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _servers() -> None:
    op.create_table(
        "peer_list",
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("may_allow", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer_list")),
        sa.UniqueConstraint("url", name=op.f("uq_peer_list_url")),
    )

    op.create_table(
        "shared",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("object_uri", sa.String(length=2000), nullable=False),
        sa.Column("host", sa.String(length=300), nullable=False),
        sa.Column("inbox", sa.String(length=2000), nullable=True),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared")),
        sa.UniqueConstraint("object_uri", "host", name=op.f("uq_shared_object_uri_host")),
    )

    with op.batch_alter_table("shared", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shared_host_last_at"), ["host", "last_at"])
        batch_op.create_index(batch_op.f("ix_shared_last_at"), ["last_at"])

    op.create_table(
        "block",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("blocker_id", sa.Integer(), nullable=False),
        sa.Column("blocked_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["blocked_id"], ["actor.id"], name=op.f("fk_block_blocked_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["blocker_id"], ["actor.id"], name=op.f("fk_block_blocker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block")),
        sa.UniqueConstraint(
            "blocker_id", "blocked_id", name=op.f("uq_block_blocker_id_blocked_id")
        ),
        sa.UniqueConstraint("uri", name=op.f("uq_block_uri")),
    )

    with op.batch_alter_table("block", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_block_blocked_id"), ["blocked_id"])

    op.create_table(
        "reaction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("object_uri", sa.String(length=2000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_reaction_actor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reaction")),
        sa.UniqueConstraint(
            "object_uri", "kind", "actor_id", name=op.f("uq_reaction_object_uri_kind_actor_id")
        ),
        sa.UniqueConstraint("uri", name=op.f("uq_reaction_uri")),
    )

    with op.batch_alter_table("reaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reaction_actor_id_at"), ["actor_id", "at"])


def _comparison() -> None:
    op.create_table(
        "comparison",
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("followers_url", sa.String(length=2000), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("different", sa.Integer(), nullable=False),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_comparison_actor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparison")),
        sa.UniqueConstraint("actor_id", name=op.f("uq_comparison_actor_id")),
    )

    op.create_table(
        "bucket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("council_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("public_count", sa.Integer(), nullable=True),
        sa.Column("public_digest", sa.String(length=64), nullable=True),
        sa.Column("peers_count", sa.Integer(), nullable=True),
        sa.Column("peers_digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["council_id"], ["council.id"], name=op.f("fk_bucket_council_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bucket")),
        sa.UniqueConstraint("council_id", "number", name=op.f("uq_bucket_council_id_number")),
    )


def _conversations() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=True),
        sa.Column("host", sa.String(length=300), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "upheld", "dismissed", name="state", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("decision", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=255), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["actor.id"], name=op.f("fk_report_reporter_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("uri", name=op.f("uq_report_uri")),
    )

    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_report_host_received_at"), ["host", "received_at"])
        batch_op.create_index(batch_op.f("ix_report_state_received_at"), ["state", "received_at"])

    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("in_reply_to", sa.String(length=2000), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "shown", "held", "hidden", "deleted", name="state", native_enum=False, length=20
            ),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["actor.id"], name=op.f("fk_comment_author_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_comment_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sa.UniqueConstraint("token", name=op.f("uq_comment_token")),
        sa.UniqueConstraint("uri", name=op.f("uq_comment_uri")),
    )

    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_comment_author_id_received_at"),
            ["author_id", "received_at"],
        )
        batch_op.create_index(
            batch_op.f("ix_comment_project_id_state_published_at"),
            ["project_id", "state", "published_at"],
        )
        batch_op.create_index(batch_op.f("ix_comment_state_received_at"), ["state", "received_at"])

    op.create_table(
        "project_update",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("next", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column(
            "state",
            sa.Enum("published", "deleted", name="state", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(length=40), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["actor.id"],
            name=op.f("fk_project_update_author_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_project_update_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_update")),
        sa.UniqueConstraint("token", name=op.f("uq_project_update_token")),
        sa.UniqueConstraint("uri", name=op.f("uq_project_update_uri")),
    )

    with op.batch_alter_table("project_update", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_project_update_project_id_state_published_at"),
            ["project_id", "state", "published_at"],
        )
        batch_op.create_index(
            batch_op.f("ix_project_update_compared"),
            ["author_id", "state", "bucket", "project_id", "revision", "uri"],
        )
        batch_op.create_index(
            batch_op.f("ix_project_update_author_id_state_id"), ["author_id", "state", "id"]
        )


def upgrade() -> None:
    _servers()
    _comparison()
    _conversations()
