"""What happened, who follows what, notices, and e-mails on their way."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TIME = sa.DateTime(timezone=True)


def _news() -> None:
    op.create_table(
        "happening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("subject_uri", sa.String(length=2000), nullable=True),
        sa.Column("to", sa.JSON(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=2000), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk_happening_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_happening")),
    )
    with op.batch_alter_table("happening", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_happening_project_id"), ["project_id"])
        batch_op.create_index(batch_op.f("ix_happening_subject_uri"), ["subject_uri"])
        batch_op.create_index(batch_op.f("ix_happening_state_id"), ["state", "id"])

    op.create_table(
        "watch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("council_id", sa.Integer(), nullable=True),
        sa.Column("tag", sa.String(length=100), nullable=True),
        sa.Column("since", TIME, nullable=False),
        sa.CheckConstraint(
            "(project_id IS NULL AND council_id IS NULL AND tag IS NOT NULL)"
            " OR (project_id IS NULL AND council_id IS NOT NULL AND tag IS NULL)"
            " OR (project_id IS NOT NULL AND council_id IS NULL AND tag IS NULL)",
            name=op.f("ck_watch_one"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_watch_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_watch_project_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["council_id"], ["council.id"], name=op.f("fk_watch_council_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("user_id", "project_id", name=op.f("uq_watch_user_id_project_id")),
        sa.UniqueConstraint("user_id", "council_id", name=op.f("uq_watch_user_id_council_id")),
        sa.UniqueConstraint("user_id", "tag", name=op.f("uq_watch_user_id_tag")),
    )
    with op.batch_alter_table("watch", schema=None) as batch_op:
        for column in ("project_id", "council_id", "tag"):
            batch_op.create_index(batch_op.f(f"ix_watch_{column}"), [column])


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("happening_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("waits_for", sa.String(length=10), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("read_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notice_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["happening_id"],
            ["happening.id"],
            name=op.f("fk_notice_happening_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "happening_id", name=op.f("uq_notice_user_id_happening_id")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_happening_id"), ["happening_id"])
        batch_op.create_index(batch_op.f("ix_notice_user_id_id"), ["user_id", "id"])
        batch_op.create_index(batch_op.f("ix_notice_user_id_read_at"), ["user_id", "read_at"])
        batch_op.create_index(batch_op.f("ix_notice_waits_for_at"), ["waits_for", "at"])

    op.create_table(
        "notice_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notice_choice_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "topic", name=op.f("pk_notice_choice")),
    )

    op.create_table(
        "notice_subscriber",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("mailed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_notice_subscriber_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_subscriber")),
        sa.UniqueConstraint("token", name=op.f("uq_notice_subscriber_token")),
    )


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("unsubscribe", sa.String(length=2000), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("reference", name=op.f("uq_mail_reference")),
    )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_state_due_at"), ["state", "due_at"])
        batch_op.create_index(batch_op.f("ix_mail_state_finished_at"), ["state", "finished_at"])


def upgrade() -> None:
    _news()
    _notices()
    _mail()
