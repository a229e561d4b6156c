"""Languages of accounts, new passwords, review dates that are chosen, what councils say of the
projects of others, and sessions in which text was kept.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "password_reset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_password_reset_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("digest", name=op.f("uq_password_reset_digest")),
    )
    op.create_index(op.f("ix_password_reset_asked_at"), "password_reset", ["asked_at"])
    op.create_index(op.f("ix_password_reset_user_id"), "password_reset", ["user_id"])
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(length=10), nullable=True))
    op.execute(
        "UPDATE users SET language = (SELECT language FROM notice_subscriber"
        " WHERE notice_subscriber.user_id = users.id)"
    )
    with op.batch_alter_table("notice_subscriber", schema=None) as batch_op:
        batch_op.drop_column("language")
    with op.batch_alter_table("unsaved", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("session", sa.String(length=64), nullable=False, server_default="")
        )
    with op.batch_alter_table("unsaved", schema=None) as batch_op:
        batch_op.alter_column("session", server_default=None, existing_type=sa.String(length=64))
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.add_column(sa.Column("review_chosen_on", sa.Date(), nullable=True))
    _statements()


def _statements() -> None:
    op.create_table(
        "statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=20), nullable=False),
        sa.Column("uri", sa.String(length=2000), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("first_uri", sa.String(length=2000), nullable=False),
        sa.Column("second_uri", sa.String(length=2000), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["actor.id"], name=op.f("fk_statement_author_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("token", name=op.f("uq_statement_token")),
        sa.UniqueConstraint("uri", name=op.f("uq_statement_uri")),
    )
    for name in ("author_id", "first_uri", "second_uri"):
        op.create_index(op.f(f"ix_statement_{name}"), "statement", [name])
