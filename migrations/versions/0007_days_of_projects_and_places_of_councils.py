"""Days of projects can be searched for, and a council says where it is."""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

DAYS = ("starts_on", "ends_on", "contract_ends_on", "assessment_on")
REGIONS = (
    "north_east",
    "north_west",
    "yorkshire_humber",
    "east_midlands",
    "west_midlands",
    "east_england",
    "london",
    "south_east",
    "south_west",
    "wales",
    "scotland",
    "northern_ireland",
)


def upgrade() -> None:
    with op.batch_alter_table("project", schema=None) as batch_op:
        for name in DAYS:
            batch_op.add_column(sa.Column(name, sa.Date(), nullable=True))
            batch_op.create_index(batch_op.f(f"ix_project_{name}"), [name])
        batch_op.create_index(batch_op.f("ix_project_review_on"), ["review_on"])
        batch_op.create_index(
            batch_op.f("ix_project_state_phase_changed_at"), ["state", "phase", "changed_at"]
        )
        batch_op.create_index(
            "ix_project_counted",
            ["state", "council_id", "phase", "freshness", "visibility", "is_hidden"],
        )
    with op.batch_alter_table("project_update", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_project_update_state_published_at"), ["state", "published_at"]
        )
    with op.batch_alter_table("council", schema=None) as batch_op:
        region = sa.Enum(*REGIONS, name="region", native_enum=False, length=20)
        batch_op.add_column(sa.Column("region", region, nullable=True))
        batch_op.add_column(sa.Column("latitude", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("longitude", sa.Double(), nullable=True))
    _fill()


def _fill() -> None:
    """The days that projects have in their details already."""
    days = [sa.column(name, sa.Date()) for name in DAYS]
    project = sa.table("project", sa.column("id"), sa.column("details", sa.Text()), *days)
    connection = op.get_bind()
    written = sa.select(project.c.id, sa.cast(project.c.details, sa.Text))
    for number, details in connection.execute(written).all():
        said = json.loads(details)
        found = {name: date.fromisoformat(said[name]) for name in DAYS if name in said}
        if found:
            connection.execute(project.update().where(project.c.id == number).values(found))
