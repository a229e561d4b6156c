"""What changes a project empties its bucket of the council's digest, in the same transaction.

Whoever needs the bucket next makes it anew (`node.catalogue.digests`).
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, event, inspect, select, update
from sqlalchemy.orm import Mapper, Session

from node.db import insert_into
from node.projects.models import Bucket, Project

# What of a project a digest depends on.
COMPARED = ("revision", "state", "visibility")
EMPTIED = ("public_count", "public_digest", "peers_count", "peers_digest")

EMPTY = {"generation": Bucket.generation + 1, **dict.fromkeys(EMPTIED)}
# Locked in this order, so that nobody waits in a circle.
_CHANGED_BUCKETS = (
    select(Bucket.id)
    .where(
        Bucket.council_id == bindparam("council"),
        Bucket.number.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(Bucket.number)
    .with_for_update()
)
EMPTY_BUCKETS = (
    update(Bucket).where(Bucket.id.in_(_CHANGED_BUCKETS)).values(EMPTY).returning(Bucket.number)
)


def touch(session: Session | Connection, council_id: int, numbers: Iterable[int]) -> None:
    """What is in these buckets of a council has changed."""
    wanted = sorted(set(numbers))
    connection = session if isinstance(session, Connection) else session.connection()
    known = set(connection.scalars(EMPTY_BUCKETS, {"council": council_id, "numbers": wanted}))
    new = [
        {"council_id": council_id, "number": n, "generation": 1} for n in wanted if n not in known
    ]
    if new:
        upsert = insert_into(connection, Bucket).on_conflict_do_update(
            index_elements=["council_id", "number"], set_=EMPTY
        )
        connection.execute(upsert, new)


@event.listens_for(Project, "after_insert")
@event.listens_for(Project, "after_delete")
def _came_or_went(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    touch(connection, project.council_id, [project.bucket])


@event.listens_for(Project, "after_update")
def _changed(_mapper: "Mapper[Project]", connection: Connection, project: Project) -> None:
    state = inspect(project)
    if any(state.attrs[name].history.has_changes() for name in COMPARED):
        touch(connection, project.council_id, [project.bucket])
