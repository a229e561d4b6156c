"""Who did something is kept by kind and id, not only by a text such as an email address."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

KINDS = sa.Enum(
    "person",
    "actor",
    "job",
    "command",
    "anonymous",
    name="principalkind",
    native_enum=False,
    length=20,
)
ROUTES = sa.Enum(
    "session", "token", "signed_link", "plugin", name="via", native_enum=False, length=20
)
USER = sa.table("users", sa.column("id", sa.Integer()), sa.column("email", sa.String()))
AUDIT_ENTRY = sa.table(
    "audit_entry",
    *(sa.column(name, sa.String()) for name in ("by", "by_kind", "by_id")),
)
VERSION = sa.table(
    "project_version",
    sa.column("by_user_id", sa.Integer()),
    *(sa.column(name, sa.String()) for name in ("by_kind", "by_name")),
)
HAPPENING = sa.table(
    "happening", sa.column("by", sa.String()), sa.column("by_user_id", sa.Integer())
)


def upgrade() -> None:
    _convert_audit_entries()
    _convert_versions()
    _convert_events()


# What commands wrote, besides "command line".
COMMANDS = ("restore", "demonstration")


def _convert_audit_entries() -> None:
    """Whoever cannot be recognised any more keeps the text, and an empty id if it is an address."""
    by, is_sqlite = AUDIT_ENTRY.c.by, op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        _drop_triggers()
    else:
        op.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_refuse")
    op.add_column("audit_entry", sa.Column("by_kind", KINDS, nullable=True))
    op.add_column("audit_entry", sa.Column("by_id", sa.String(length=2000), nullable=True))
    op.add_column("audit_entry", sa.Column("via", ROUTES, nullable=True))
    user_id = sa.select(sa.cast(USER.c.id, sa.String())).where(USER.c.email == by).scalar_subquery()
    is_address = by.contains("@") & ~by.contains("://")
    op.execute(
        sa.update(AUDIT_ENTRY).values(
            by_kind=sa.case(
                (is_address, "person"),
                (by.contains("://"), "actor"),
                (by.startswith("command line") | by.in_(COMMANDS), "command"),
                (by.contains(".") & ~by.contains(" "), "actor"),  # the host of a server
                (by == "anonymous", "anonymous"),
                else_="job",
            ),
            by_id=sa.case(
                (is_address, sa.func.coalesce(user_id, "")), (by == "anonymous", ""), else_=by
            ),
        )
    )
    with op.batch_alter_table("audit_entry") as batch_op:
        batch_op.alter_column("by_kind", existing_type=KINDS, nullable=False)
        batch_op.alter_column("by_id", existing_type=sa.String(length=2000), nullable=False)
    if is_sqlite:
        _create_triggers()
    else:
        op.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_refuse")


# As in revision 0001; SQLite drops them with the table that `batch_alter_table` replaces.
REFUSED_ON_SQLITE = {
    "update": "UPDATE ON audit_entry",
    "delete": "DELETE ON audit_entry",
    "insert": "INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)",
}


def _drop_triggers() -> None:
    for name in REFUSED_ON_SQLITE:
        op.execute(f"DROP TRIGGER audit_entry_no_{name}")


def _create_triggers() -> None:
    for name, refused in REFUSED_ON_SQLITE.items():
        op.execute(
            f"CREATE TRIGGER audit_entry_no_{name} BEFORE {refused}"
            " BEGIN SELECT RAISE(ABORT, 'audit entries are never changed or removed'); END"
        )


def _convert_versions() -> None:
    op.add_column("project_version", sa.Column("by_kind", KINDS, nullable=True))
    op.add_column("project_version", sa.Column("by_name", sa.String(length=2000), nullable=True))
    email = sa.select(USER.c.email).where(USER.c.id == VERSION.c.by_user_id).scalar_subquery()
    is_of_person = VERSION.c.by_user_id.is_not(None)
    op.execute(sa.update(VERSION).where(is_of_person).values(by_kind="person", by_name=email))


def _convert_events() -> None:
    """Events are kept for a short time, and only tell whom not to notify: their text is dropped."""
    op.add_column("happening", sa.Column("by_user_id", sa.Integer(), nullable=True))
    user_id = sa.select(USER.c.id).where(USER.c.email == HAPPENING.c.by).scalar_subquery()
    op.execute(sa.update(HAPPENING).values(by_user_id=user_id))
    with op.batch_alter_table("happening") as batch_op:
        batch_op.drop_column("by")
