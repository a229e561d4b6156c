"""Visibility, comparison between nodes, conversations and moderation."""

import secrets
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from federation.signatures import generate_ed25519, public_pem

revision = "0002"
down_revision = "0001"

NAMED = ("revision", "bucket")
# What the rows that are there get in each new column that cannot be empty.
FILLED = {
    "actor": {"also_known_as": "'[]'", "is_blocked": "false"},
    "actor_key": {"asserts": "false"},
    "backfill": {"started_at": "due_at"},
    "outbox_activity": {"audience": "CASE WHEN is_public THEN 'public' ELSE 'direct' END"},
    "peer": {"comment": "''", "software": "''", "failures": "0"},
    "project": {
        "visibility": "'public'",
        "language": "'en'",
        "translations": "'{}'",
        "is_hidden": "false",
        "revision": "''",
        "bucket": "0",
    },
}


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


def _rows_that_were() -> None:
    with op.batch_alter_table("actor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("digest", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("attributed_to", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("also_known_as", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("moved_to", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("is_blocked", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_actor_user_id"), ["user_id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_actor_user_id"), "users", ["user_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("actor_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("asserts", sa.Boolean(), nullable=True))

    with op.batch_alter_table("backfill", schema=None) as batch_op:
        batch_op.add_column(sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_delivery_state_host_due_at_id"), ["state", "host", "due_at", "id"]
        )
        batch_op.create_index(batch_op.f("ix_delivery_object_uri_inbox"), ["object_uri", "inbox"])
        batch_op.create_index(batch_op.f("ix_delivery_state_finished_at"), ["state", "finished_at"])

    with op.batch_alter_table("inbox_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("object_uri", sa.String(length=2000), nullable=True))
        batch_op.create_index(batch_op.f("ix_inbox_item_object_uri"), ["object_uri"])
        batch_op.add_column(sa.Column("forwarded_by", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_inbox_item_host_state"), ["host", "state"])
        batch_op.create_index(
            batch_op.f("ix_inbox_item_state_finished_at"), ["state", "finished_at"]
        )

    with op.batch_alter_table("outbox_activity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("audience", sa.String(length=10), nullable=True))

    with op.batch_alter_table("peer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("comment", sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column("peer_list_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("found_from", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("software", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("scheme", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("try_after", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("unreachable_since", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.create_index(batch_op.f("ix_peer_peer_list_id"), ["peer_list_id"])
        batch_op.create_index(batch_op.f("ix_peer_state"), ["state"])
        batch_op.create_foreign_key(
            batch_op.f("fk_peer_peer_list_id"),
            "peer_list",
            ["peer_list_id"],
            ["id"],
            ondelete="SET NULL",
        )


def _projects() -> None:
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "visibility",
                sa.Enum(
                    "public", "peers", "private", name="visibility", native_enum=False, length=20
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("language", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("translations", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("is_hidden", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("revision", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("bucket", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("actor_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_project_council_id_state_bucket_visibility_revision_uri"),
            ["council_id", "state", "bucket", "visibility", "revision", "uri"],
        )
        batch_op.create_index(
            batch_op.f("ix_project_council_id_state_id"), ["council_id", "state", "id"]
        )
        batch_op.create_unique_constraint(batch_op.f("uq_project_actor_id"), ["actor_id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_project_actor_id"), "actor", ["actor_id"], ["id"], ondelete="SET NULL"
        )


def _fill() -> None:
    """Give the new columns their values, and then no longer let them be empty."""
    for table, columns in FILLED.items():
        values = ", ".join(f"{name} = {value}" for name, value in columns.items())
        op.execute(sa.text(f"UPDATE {table} SET {values}"))  # noqa: S608 -- of constants
    _name_projects()
    _name_digests()
    _give_keys_for_proofs()
    for table, columns in FILLED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in columns:
                batch_op.alter_column(name, nullable=False)
    with op.batch_alter_table("outbox_activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_activity_actor_id_is_public_id"))
        batch_op.drop_column("is_public")
        batch_op.create_index(
            batch_op.f("ix_outbox_activity_actor_id_audience_id"),
            ["actor_id", "audience", "id"],
        )


def _name_digests() -> None:
    """Each council of this node says where the digest of its projects is."""
    op.execute(
        sa.text("UPDATE actor SET digest = projects || '/digest' WHERE is_local AND projects <> ''")
    )


def _give_keys_for_proofs() -> None:
    """Each actor of this node gets an Ed25519 key beside the one it has."""
    actor = sa.table("actor", sa.column("id"), sa.column("uri"), sa.column("is_local"))
    names = ("key_id", "actor_id", "public_pem", "private_pem", "asserts")
    key = sa.table("actor_key", *map(sa.column, names))
    connection = op.get_bind()
    for row in connection.execute(sa.select(actor.c.id, actor.c.uri).where(actor.c.is_local)).all():
        private = generate_ed25519()
        values = (f"{row.uri}#ed25519-key", row.id, public_pem(private), private, True)
        connection.execute(key.insert().values(dict(zip(names, values, strict=True))))


def _name_projects() -> None:
    """Each project gets a revision, and the bucket that its id falls into."""
    project = sa.table("project", sa.column("id"), sa.column("uri"), *map(sa.column, NAMED))
    connection = op.get_bind()
    for row in connection.execute(sa.select(project.c.id, project.c.uri)).all():
        named = {
            "revision": secrets.token_urlsafe(12),
            "bucket": sha256(row.uri.encode()).digest()[0],
        }
        connection.execute(project.update().where(project.c.id == row.id).values(named))


def upgrade() -> None:
    _servers()
    _comparison()
    _conversations()
    _rows_that_were()
    _projects()
    _fill()
