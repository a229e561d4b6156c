"""Readers, proofs, moves and health for what the first tables hold."""

import secrets
from hashlib import sha256

import sqlalchemy as sa
from alembic import op
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

revision = "0003"
down_revision = "0002"

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


def _columns() -> None:
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
        public, private = _new_key()
        values = (f"{row.uri}#ed25519-key", row.id, public, private, True)
        connection.execute(key.insert().values(dict(zip(names, values, strict=True))))


def _new_key() -> tuple[str, str]:
    """An Ed25519 key as PEM, its public half (SPKI) first."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return public.decode(), private.decode()


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
    _columns()
    _projects()
    _fill()
